/** Copies a run of blocks into a new image, as data. */

import { type BlockBackend, BlockError, type BlockGraph, type JobOptions } from '@blocklayer/block-core'
import { Breather } from './breather.ts'

/** The image that is made. */
export interface DdTarget {
  readonly filename: string
  /** Default `raw`. */
  readonly format?: string | undefined
  /** Opens the new image, which its caller closes then. Default: opened by name and format, and closed. */
  readonly open?: (() => Promise<BlockBackend>) | undefined
}

/** Which blocks are copied. */
export interface DdOptions extends JobOptions {
  /** Bytes of a block. Default 512. */
  readonly blockBytes?: number | bigint | undefined
  /** Blocks from the start of the source, skipped ones included. Default: all. */
  readonly count?: number | bigint | undefined
  /** Blocks left out at the start. Default: none. */
  readonly skip?: number | bigint | undefined
}

/** What was done. */
export interface DdResult {
  /** Length of the new image, which may be rounded up. */
  readonly bytes: number
  /** More was to be skipped than there is: the new image is empty. */
  readonly isPastEnd: boolean
}

/** Bytes copied at once. */
const chunkMax = 2 ** 20

/**
 * Makes an image of a run of blocks. Everything is data in it, zeroes too.
 *
 * @throws BlockError `Unknown file format`; `<target>: error while creating output image: …`;
 *   `error while reading from input image file: …`, `error while writing to output image file: …`; `signal.reason`
 * @see QEMU 7.2 qemu-img.c: img_dd
 * @example
 * await ddImage(graph, disk, { filename: 'boot-sector.raw' }, { count: 1 })
 */
export async function ddImage(
  graph: BlockGraph,
  source: BlockBackend,
  target: DdTarget,
  options: DdOptions = {},
): Promise<DdResult> {
  const { start, end } = copiedRange(options, source.length)
  const bytes = Math.max(0, end - start)
  await create(graph, target, bytes, options.signal)
  const disk = await openTarget(graph, target)
  try {
    await copy(source, disk, { start, end, ...options })
  } catch (error) {
    // What closing meets now is a consequence: the reason is what counts.
    if (target.open === undefined) await disk.close().catch(() => undefined)
    throw error
  }
  if (target.open === undefined) await disk.close()
  return { bytes, isPastEnd: start > end }
}

/** Bytes of the source; `start` lies behind `end` where all is skipped, and more. */
function copiedRange(
  { blockBytes = 512, count, skip = 0 }: DdOptions,
  length: number,
): { readonly start: number; readonly end: number } {
  const [block, whole] = [BigInt(blockBytes), BigInt(length)]
  const wanted = count === undefined ? whole : BigInt(count) * block
  return { start: Number(BigInt(skip) * block), end: Number(wanted > whole ? whole : wanted) }
}

async function create(
  graph: BlockGraph,
  { filename, format = 'raw' }: DdTarget,
  size: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  // This one command does not name the format.
  if (!graph.drivers.some(({ formatName }) => formatName === format)) {
    throw new BlockError('EINVAL', 'Unknown file format')
  }
  const creation = await graph.prepareCreate(format, filename, { size })
  try {
    await creation.run({ signal })
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw error.prepend(`${creation.filename}: error while creating output image: `)
  }
}

async function openTarget(graph: BlockGraph, { filename, format = 'raw', open }: DdTarget): Promise<BlockBackend> {
  if (open !== undefined) return await open()
  try {
    return await graph.open(filename, { format })
  } catch (error) {
    throw error instanceof BlockError ? error.prepend(`Could not open '${filename}': `) : error
  }
}

/** From `start` to `end`, to the beginning of the target. */
async function copy(
  source: BlockBackend,
  target: BlockBackend,
  { start, end, signal, onProgress }: JobOptions & { readonly start: number; readonly end: number },
): Promise<void> {
  const breather = new Breather()
  const buffer = new Uint8Array(Math.min(chunkMax, Math.max(0, end - start)))
  for (let offset = start; offset < end; offset += buffer.length) {
    await breather.breathe(signal)
    const part = buffer.subarray(0, Math.min(buffer.length, end - offset))
    await told('error while reading from input image file', () => source.read(offset, part))
    await told('error while writing to output image file', () => target.write(offset - start, part))
    onProgress?.({ current: offset - start + part.length, total: end - start })
  }
}

async function told(what: string, request: () => Promise<void>): Promise<void> {
  try {
    await request()
  } catch (error) {
    throw error instanceof BlockError ? BlockError.withErrno(error.code, what, { cause: error }) : error
  }
}
