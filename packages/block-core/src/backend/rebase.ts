/** Giving an image another backing file: what the guest would see change is copied first, then the header is switched. */

import type { BlockNode } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import type { BlockGraph, OpenOptions } from '../graph/block-graph.ts'
import { changeBackingFile } from '../graph/change-backing.ts'
import { backingImageOf, chainImagesOf, clusterSizeOf } from '../graph/operations.ts'
import { type ByteRun, differingRuns, rebaseRuns } from '../graph/rebase-plan.ts'
import { canWriteCompressed } from '../graph/queries.ts'
import { Permissions } from '../node/permissions.ts'
import { resolveBackingName } from '../options/filename.ts'
import { alignDown, alignUp } from '../util/align.ts'
import { isZero } from '../util/bytes.ts'
import type { BlockBackend } from './block-backend.ts'
import type { JobOptions } from './job-options.ts'

/** How an image is rebased. */
export interface RebaseOptions extends JobOptions {
  /** What the image is to record, the name as seen from its folder; absent: it is to stand alone. */
  readonly backing?: { readonly filename: string; readonly format?: string | undefined } | undefined
  /** Change the record only: old and new backing file are said to hold the same. Neither is opened. */
  readonly unsafe?: boolean | undefined
  /** How the new backing file is opened, where it is no image of the old chain. */
  readonly open?: Pick<OpenOptions, 'cache' | 'forceShare'> | undefined
  /** Copy by whole clusters, compressed. */
  readonly compress?: boolean | undefined
}

/** Bytes that are read, compared and written at once. @see QEMU 7.2 qemu-img.c: IO_BUF_SIZE */
const stepBytes = 2 ** 21
/** Bytes that are equal or not as a whole. */
const sectorBytes = 512

/**
 * Gives `disk` another backing file, or none, so that its guest sees no change. The open graph stays as it is: open the
 * image again to see the new chain.
 *
 * Whenever the power fails, the image reads as before: data is copied and flushed while the old backing file is
 * recorded, and only then one header write names the new one.
 *
 * @throws BlockError `Invalid format name: '<format>'`, `Could not resolve backing filename: …`, `Could not open new
 *   backing file '<name>': …`, `error while reading image metadata: …`, `error while reading from old backing file`,
 *   `error while reading from new backing file`, `Error while writing to COW image: …`, `Could not change the backing
 *   file to '<name>': …`; `ENOTSUP` `Compression not supported for this file format`. The record has not changed then
 * @example
 * await using overlay = await graph.open('overlay.qcow2', { format: 'qcow2' })
 * await rebaseImage(graph, overlay, { backing: { filename: 'base.qcow2', format: 'qcow2' } })
 * @see spec/qemu-img.md, section 22
 */
export async function rebaseImage(graph: BlockGraph, disk: BlockBackend, options: RebaseOptions = {}): Promise<void> {
  const { backing, unsafe = false } = options
  const format = backing?.format
  if (format !== undefined && !graph.drivers.some(({ formatName }) => formatName === format)) {
    throw new BlockError('EINVAL', `Invalid format name: '${format}'`)
  }
  options.signal?.throwIfAborted()
  if (!unsafe) {
    const added = backing === undefined ? undefined : await openNew(graph, disk, backing, options)
    try {
      await copyDifferences(graph, disk, added, options)
    } finally {
      await added?.opened?.close()
    }
    // What was copied must be there before the header forgets where it came from.
    await disk.flush()
  }
  options.signal?.throwIfAborted()
  await recordBacking(disk.root, backing)
}

/** The new backing file. */
interface Added {
  readonly node: BlockNode
  /** An image of the old chain. */
  readonly kept: boolean
  /** What has to be closed afterwards. */
  readonly opened: BlockBackend | undefined
}

async function openNew(
  graph: BlockGraph,
  disk: BlockBackend,
  { filename, format }: NonNullable<RebaseOptions['backing']>,
  options: RebaseOptions,
): Promise<Added> {
  const resolved = resolveNew(disk.root, filename)
  const kept = graph.findBackingImage(disk.root, filename)
  if (kept !== undefined) return { node: kept, kept: true, opened: undefined }
  try {
    const formatGiven = format === undefined ? {} : { format }
    const opened = await graph.open(resolved, { ...options.open, ...formatGiven, readOnly: true })
    return { node: opened.root, kept: false, opened }
  } catch (error) {
    throw error instanceof BlockError ? error.prepend(`Could not open new backing file '${filename}': `) : error
  }
}

function resolveNew(overlay: BlockNode, filename: string): string {
  try {
    return resolveBackingName(overlay.filename, filename)
  } catch (error) {
    throw error instanceof BlockError ? error.prepend('Could not resolve backing filename: ') : error
  }
}

async function copyDifferences(
  graph: BlockGraph,
  disk: BlockBackend,
  added: Added | undefined,
  options: RebaseOptions,
): Promise<void> {
  const overlay = chainImagesOf(disk.root)[0] ?? disk.root
  const old = backingImageOf(overlay)
  const readers: BlockBackend[] = []
  const reader = (node: BlockNode | undefined, name: string): BackingReader => {
    const permissions = { taken: Permissions.consistentRead, shared: Permissions.all }
    const user = node === undefined ? undefined : graph.backend(node, { permissions })
    if (user !== undefined) readers.push(user)
    return new BackingReader(user, name)
  }
  try {
    const pair = { before: reader(old, 'old'), after: reader(added?.node, 'new') }
    const unit = options.compress === true ? compressedUnit(disk) : sectorBytes
    await new Copy(disk, pair, { ...options, unit }).run(overlay, added?.kept === true ? added.node : undefined)
  } finally {
    for (const user of readers) await user.close()
  }
}

/** @throws BlockError where the image has no clusters that could be compressed */
function compressedUnit(disk: BlockBackend): number {
  const unit = clusterSizeOf(disk.root)
  if (unit === undefined || !canWriteCompressed(disk.root))
    throw new BlockError('ENOTSUP', 'Compression not supported for this file format')
  return unit
}

/** One of the two backing files, as the overlay sees it: zeroes follow its end. */
class BackingReader {
  readonly #user: BlockBackend | undefined
  readonly #name: string

  constructor(user: BlockBackend | undefined, name: string) {
    this.#user = user
    this.#name = name
  }

  get length(): number {
    return this.#user?.length ?? 0
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    const inside = Math.max(0, Math.min(into.length, this.length - offset))
    into.fill(0, inside)
    if (inside === 0) return
    try {
      await this.#user?.read(offset, into.subarray(0, inside))
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      throw new BlockError(error.code, `error while reading from ${this.#name} backing file`, { cause: error })
    }
  }
}

class Copy {
  readonly #disk: BlockBackend
  readonly #before: BackingReader
  readonly #after: BackingReader
  readonly #options: RebaseOptions & { readonly unit: number }
  readonly #buffers: readonly [Uint8Array, Uint8Array]

  constructor(
    disk: BlockBackend,
    { before, after }: { readonly before: BackingReader; readonly after: BackingReader },
    options: RebaseOptions & { readonly unit: number },
  ) {
    this.#disk = disk
    this.#before = before
    this.#after = after
    this.#options = options
    const bytes = Math.max(options.unit, Math.min(stepBytes, disk.length))
    this.#buffers = [new Uint8Array(bytes), new Uint8Array(bytes)]
  }

  async run(overlay: BlockNode, kept: BlockNode | undefined): Promise<void> {
    const { unit, signal, onProgress } = this.#options
    const total = this.#disk.length
    let done = 0
    for await (const run of readable(rebaseRuns(overlay, { kept, maxBytes: this.#buffers[0].length }))) {
      // Whole units: what the overlay holds has such borders too, so that none of it is touched.
      const start = Math.max(done, alignDown(run.offset, unit))
      done = Math.min(total, alignUp(run.offset + run.bytes, unit))
      await this.#copyRange(start, done)
      onProgress?.({ current: done, total })
      signal?.throwIfAborted()
    }
  }

  /** The end of the old backing file is a border: what follows is zeroed, not written. */
  async #copyRange(start: number, end: number): Promise<void> {
    const border = this.#before.length
    for (let offset = start; offset < end; ) {
      const next = offset < border && this.#options.compress !== true ? Math.min(end, border) : end
      const bytes = Math.min(next - offset, this.#buffers[0].length)
      await this.#copyRun({ offset, bytes })
      offset += bytes
    }
  }

  async #copyRun({ offset, bytes }: ByteRun): Promise<void> {
    const [before, after] = this.#buffers.map((buffer) => buffer.subarray(0, bytes)) as [Uint8Array, Uint8Array]
    await this.#before.read(offset, before)
    await this.#after.read(offset, after)
    for (const run of differingRuns(before, after, this.#options.unit)) {
      try {
        await this.#write(offset + run.offset, before.subarray(run.offset, run.offset + run.bytes))
      } catch (error) {
        throw told(error, 'Error while writing to COW image')
      }
    }
  }

  async #write(offset: number, data: Uint8Array): Promise<void> {
    if (offset >= this.#before.length) return await this.#disk.writeZeroes(offset, data.length)
    if (this.#options.compress !== true) return await this.#disk.write(offset, data)
    for (let at = 0; at < data.length; at += this.#options.unit) {
      const cluster = data.subarray(at, at + this.#options.unit)
      if (isZero(cluster)) await this.#disk.writeZeroes(offset + at, cluster.length)
      else await this.#disk.writeCompressed(offset + at, cluster)
    }
  }
}

async function* readable(runs: AsyncIterable<ByteRun>): AsyncGenerator<ByteRun, void, undefined> {
  try {
    yield* runs
  } catch (error) {
    throw told(error, 'error while reading image metadata')
  }
}

async function recordBacking(node: BlockNode, backing: RebaseOptions['backing']): Promise<void> {
  const { filename, format } = backing ?? {}
  const head = `Could not change the backing file to '${filename ?? ''}'`
  if (filename !== undefined && format === undefined) {
    throw new BlockError('EINVAL', `${head}: backing format must be specified`)
  }
  try {
    await changeBackingFile(chainImagesOf(node)[0] ?? node, { filename, format })
  } catch (error) {
    if (!(error instanceof BlockError) || error.code !== 'ENOSPC') throw told(error, head)
    throw new BlockError('ENOSPC', `${head}: No space left in the file header`, { cause: error })
  }
}

/** `error` in the tool's words: what was done, and the errno's text. */
function told(error: unknown, what: string): unknown {
  return error instanceof BlockError ? BlockError.withErrno(error.code, what, { cause: error }) : error
}
