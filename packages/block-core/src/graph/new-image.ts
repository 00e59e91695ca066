/** Makes a new image: the file, then the format in it; a failed one is removed. */

import type { JobOptions } from '../backend/job-options.ts'
import type { AnyDriver, CreateSupport } from '../driver/block-driver.ts'
import type { BackingReference } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import type { Edge } from '../node/edge.ts'
import { Permissions } from '../node/permissions.ts'
import { isFormatName } from '../options/format-names.ts'
import type { FlatOptions, OptionSchema, OptionSpec } from '../options/schema.ts'
import { parseSizeOption } from '../options/size.ts'
import { parseTypedOptions } from '../options/typed.ts'
import { attachUser, closeUnused, detach } from './attach.ts'
import { Failures } from './failures.ts'
import type { GraphCore } from './graph-core.ts'
import { openNode } from './open-node.ts'
import type { Inherited } from './open-options.ts'

/** How a file is opened that is only a format's storage. */
export const plainOpen: Inherited = {
  readOnly: false,
  autoReadOnly: false,
  unmap: false,
  direct: false,
  noFlush: false,
  forceShare: false,
  check: false,
  noIo: false,
  noBacking: false,
  allowReadWrite: true,
  protocol: true,
}

/** A driver that can create. */
export type Creator = AnyDriver & { readonly create: CreateSupport<never> }

/** A creation whose options were checked. */
export interface CreationRun {
  readonly driver: Creator
  readonly protocol: Creator
  readonly filename: string
  readonly flat: FlatOptions
  readonly backing: BackingReference | undefined
  readonly job: JobOptions
}

/** Options of a schema by value; what the schema does not know belongs to the other layer. */
function typed<T>(schema: OptionSchema<T>, flat: FlatOptions): T {
  return parseTypedOptions(schema, flat, { purpose: 'create' }).options
}

/**
 * Makes the image.
 *
 * @throws BlockError what the drivers meet; nothing is left of the image then
 */
export async function runCreation(core: GraphCore, run: CreationRun): Promise<void> {
  const { driver, protocol, filename, flat, backing } = run
  const { signal, onProgress } = run.job
  signal?.throwIfAborted()
  const warn = (text: string) => core.diagnostic({ kind: 'warning', text })
  const size = ((sizeOf(flat, warn) + 511n) / 512n) * 512n
  if (driver === protocol) return createFile(core, run, size, flat)
  const target = new NewFile(core, run)
  const others: NewFile[] = []
  const otherFile = (name: string): Promise<Edge> => {
    const other = new NewFile(core, { ...run, filename: name, protocol: fileCreator(core.protocolFor(name)) })
    others.push(other)
    return other.open()
  }
  const makeFile = () => createFile(core, run, size, flat)
  const files = { file: () => target.open(), otherFile, makeFile }
  const knowsFormat = (name: string): boolean => isFormatName(core.drivers, name)
  const context = { filename, size, backing, isFormatName: knowsFormat, ...files, signal, onProgress, warn }
  try {
    await driver.create.run(context, typed(driver.create.options, flat))
    for (const file of [...others, target]) await file.close()
  } catch (error) {
    for (const file of [...others, target]) await file.discard()
    throw error
  }
}

/** `protocol`, which makes files. @throws BlockError `EINVAL` where it makes none */
export function fileCreator(protocol: AnyDriver): Creator {
  if (protocol.create === undefined) {
    throw new BlockError('EINVAL', `Protocol driver '${protocol.formatName}' does not support image creation`)
  }
  return protocol as Creator
}

/** The size as given, in whatever spelling; what is deprecated is warned of once more, as in the reference. */
function sizeOf(flat: FlatOptions, warn: (text: string) => void): bigint {
  const given = flat.get('size') ?? 0
  return typeof given === 'string' ? parseSizeOption('size', given, warn) : BigInt(given)
}

function createFile(core: GraphCore, run: CreationRun, size: bigint, options: FlatOptions): Promise<void> {
  const { protocol, filename } = run
  const { signal, onProgress } = run.job
  const file = () => Promise.reject(new BlockError('ENOTSUP', 'a protocol has no file beneath it'))
  const warn = (text: string) => core.diagnostic({ kind: 'warning', text })
  const files = { file, otherFile: file, makeFile: file }
  const context = { filename, size, backing: undefined, ...files, signal, onProgress, warn }
  return protocol.create.run(context, typed(protocol.create.options, options))
}

/** The file that a new image goes into: made when the format asks for it, gone again when the format fails. */
class NewFile {
  readonly #core: GraphCore
  readonly #run: CreationRun
  #opening: Promise<Edge> | undefined
  #edge: Edge | undefined
  #made = false

  constructor(core: GraphCore, run: CreationRun) {
    this.#core = core
    this.#run = run
  }

  /** Asked twice, it gives the same file: making it again would lose what is written. */
  open(): Promise<Edge> {
    this.#opening ??= this.#make()
    return this.#opening
  }

  async #make(): Promise<Edge> {
    const { driver, protocol, filename, flat, job } = this.#run
    const [ours, theirs] = [rowsOf(protocol), rowsOf(driver)]
    const own = new Map([...flat].filter(([name]) => ours.has(name) && !theirs.has(name)))
    await createFile(this.#core, this.#run, 0n, own)
    this.#made = true
    const node = await openNode(this.#core, { filename, inherited: plainOpen, overlays: [], signal: job.signal })
    const { write, resize, consistentRead, all } = Permissions
    const parent = { description: 'an unnamed block device', node: undefined }
    try {
      this.#edge = attachUser(parent, 'root', node, { taken: write | resize | consistentRead, shared: all })
    } catch (error) {
      await closeUnused(this.#core, node)
      throw error
    }
    return this.#edge
  }

  /** @throws what flushing or closing met: the image cannot be trusted then */
  async close(): Promise<void> {
    const edge = this.#edge
    this.#edge = undefined
    if (edge !== undefined) await detach(this.#core, edge)
  }

  /** Half an image is worse than none: the next user would take it for a whole one. */
  async discard(): Promise<void> {
    const { protocol, filename } = this.#run
    const failures = new Failures()
    await failures.attempt(() => this.close())
    if (this.#made) await failures.attempt(() => protocol.create.remove?.(filename))
    failures.report(this.#core)
  }
}

function rowsOf(driver: Creator): ReadonlySet<string> {
  return new Set((Object.values(driver.create.options) as OptionSpec[]).map((row) => row.name))
}
