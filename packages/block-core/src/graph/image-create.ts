/** New images: all checks first, then the file, then the format in it; a failed one is removed. */

import type { JobOptions } from '../backend/job-options.ts'
import type { BackingReference } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import { resolveBackingName } from '../options/filename.ts'
import { flatOptions, type GivenOptions } from '../options/flat-options.ts'
import type { FlatOptions, OptionSpec } from '../options/schema.ts'
import { parseSizeOption } from '../options/size.ts'
import { checkOptionEntries, scalarText } from '../options/typed.ts'
import { closeNode } from './attach.ts'
import { type CreationOption, creationOptions } from './creation-options.ts'
import type { GraphCore } from './graph-core.ts'
import { type Creator, fileCreator, plainOpen, runCreation } from './new-image.ts'
import { openNode } from './open-node.ts'

/** What a new image is like. */
export interface CreateOptions {
  /** Bytes; absent: the size of the backing image. `bigint` for sizes past 2^53. */
  readonly size?: number | bigint | undefined
  readonly backing?: { readonly filename: string; readonly format?: string | undefined } | undefined
  /** Do not look at the backing file (`-u`). */
  readonly unsafeBacking?: boolean | undefined
  /** The format's own options by name, as text or values: `{ cluster_size: 65536 }`. */
  readonly options?: GivenOptions | undefined
}

/** A new image, checked and ready. */
export interface ImageCreation {
  readonly format: string
  readonly filename: string
  /** What `qemu-img create` prints as `name=value`, in order, values as text without escapes. */
  readonly options: readonly CreationOption[]
  /** @throws BlockError with the driver's message */
  run(job?: JobOptions): Promise<void>
}

/**
 * Checks a creation in the reference's order.
 *
 * @throws BlockError with the messages of spec/qemu-img.md, section 16.1, without the file name
 */
export async function prepareCreation(
  core: GraphCore,
  format: string,
  filename: string,
  request: CreateOptions,
): Promise<ImageCreation> {
  const { driver, protocol } = creators(core, format, filename)
  const flat = flatOptions(request.options)
  const known = schemas(driver, protocol)
  const entries = [...flat].map(([name, value]) => [name, scalarText(value)] as const)
  checkOptionEntries(Object.fromEntries(known.map((row) => [row.name, row])), entries, {
    onWarning: (text) => core.diagnostic({ kind: 'warning', text }),
  })
  if (request.size !== undefined && flat.has('size')) {
    throw new BlockError('EINVAL', 'The image size must be specified only once')
  }
  const backing = await settleBacking(core, driver, filename, flat, request)
  const size = settleSize(flat, request, backing.size)
  if (size !== undefined) flat.set('size', size)
  if (!flat.has('size')) throw new BlockError('EINVAL', 'Image creation needs a size parameter')
  const options = creationOptions(known, flat)
  return {
    format,
    filename,
    options,
    run: (job = {}) => runCreation(core, { driver, protocol, filename, flat, backing: backing.reference, job }),
  }
}

function creators(core: GraphCore, format: string, filename: string): { driver: Creator; protocol: Creator } {
  const driver = core.drivers.find((candidate) => candidate.formatName === format)
  if (driver === undefined) throw new BlockError('EINVAL', `Unknown file format '${format}'`)
  const protocol = core.protocolFor(filename)
  if (driver.create === undefined) {
    throw new BlockError('EINVAL', `Format driver '${format}' does not support image creation`)
  }
  return { driver: driver as Creator, protocol: fileCreator(protocol) }
}

function schemas(driver: Creator, protocol: Creator): readonly OptionSpec[] {
  const rows = [...(Object.values(driver.create.options) as OptionSpec[])]
  if (driver === protocol) return rows
  for (const row of Object.values(protocol.create.options) as OptionSpec[]) {
    if (!rows.some((known) => known.name === row.name)) rows.push(row)
  }
  return rows
}

interface SettledBacking {
  readonly reference: BackingReference | undefined
  /** Bytes of the backing image, where it was opened. */
  readonly size: number | undefined
}

async function settleBacking(
  core: GraphCore,
  driver: Creator,
  filename: string,
  flat: FlatOptions,
  request: CreateOptions,
): Promise<SettledBacking> {
  const rows = Object.values(driver.create.options) as OptionSpec[]
  const takes = (name: string) => rows.some((row) => row.name === name)
  if (request.backing !== undefined) {
    if (!takes('backing_file')) {
      throw new BlockError('EINVAL', `Backing file not supported for file format '${driver.formatName}'`)
    }
    flat.set('backing_file', request.backing.filename)
    if (request.backing.format !== undefined) flat.set('backing_fmt', request.backing.format)
  }
  const name = flat.get('backing_file')
  const format = flat.get('backing_fmt')
  if (name === undefined) return { reference: undefined, size: undefined }
  const reference = { filename: String(name), format: format === undefined ? undefined : String(format) }
  if (reference.filename === filename) {
    throw new BlockError('EINVAL', 'Error: Trying to create an image with the same filename as the backing file')
  }
  if (reference.filename === '') throw new BlockError('EINVAL', 'Expected backing file name, got empty string')
  const looked = request.unsafeBacking === true ? undefined : await lookAtBacking(core, filename, reference)
  if (reference.format === undefined) {
    const hint = looked === undefined ? undefined : `Detected format of ${looked.format}.`
    throw new BlockError('EINVAL', 'Backing file specified without backing format', { hint })
  }
  return { reference, size: looked?.size }
}

async function lookAtBacking(
  core: GraphCore,
  overlay: string,
  reference: BackingReference,
): Promise<{ size: number; format: string }> {
  const flat: FlatOptions = reference.format === undefined ? new Map() : new Map([['driver', reference.format]])
  const inherited = { ...plainOpen, readOnly: true, noIo: true, forceShare: true, protocol: false }
  try {
    const filename = resolveBackingName(overlay, reference.filename)
    const node = await openNode(core, { filename, flat, inherited, overlays: [] })
    const looked = { size: node.length, format: node.driverName }
    await closeNode(core, node)
    return looked
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw new BlockError(error.code, error.message, { cause: error, hint: 'Could not open backing image.' })
  }
}

/** Size in bytes as it is printed: as given, not yet rounded. */
function settleSize(flat: FlatOptions, request: CreateOptions, backing: number | undefined): bigint | undefined {
  if (flat.has('size')) return undefined
  if (request.size !== undefined) return parseSizeOption('size', scalarText(request.size))
  return backing === undefined ? undefined : BigInt(backing)
}
