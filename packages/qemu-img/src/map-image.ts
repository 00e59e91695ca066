/** Where each part of a disk comes from, as ranges of one kind. */

import { type BlockBackend, BlockError, type Extent, type JobOptions } from '@blocklayer/block-core'
import { Breather } from './breather.ts'

/** A range of a disk, with the name of the file that holds it in place of the node; offsets and lengths in bytes. */
export interface MapExtent extends Omit<Extent, 'file'> {
  /** Empty where no file holds data. */
  readonly filename: string
}

/** What is looked at, and what is taken together; progress is in guest bytes. */
export interface MapOptions extends JobOptions {
  /** Guest offset in bytes. Default 0. */
  readonly start?: number | undefined
  /** Default: to the end. What lies past the end is left out. */
  readonly bytes?: number | undefined
  /** Whether `next`, which follows at once, is told as a part of `current`. Default: {@link continuesExtent}. */
  readonly continues?: ((current: MapExtent, next: MapExtent) => boolean) | undefined
}

/**
 * The ranges of a disk in order, through the whole backing chain; neighbours of one kind are merged.
 *
 * @throws BlockError `Could not read file metadata: …`, `signal.reason`
 * @see QEMU 7.2 qemu-img.c: img_map
 * @example
 * for await (const { start, bytes, data } of mapImage(disk)) console.log(start, bytes, data)
 */
export async function* mapImage(disk: BlockBackend, options: MapOptions = {}): AsyncGenerator<MapExtent> {
  const { start = 0, bytes = Number.POSITIVE_INFINITY, continues = continuesExtent } = options
  const breather = new Breather()
  const total = Math.max(0, Math.min(bytes, disk.length - start))
  let pending: MapExtent | undefined
  for await (const extent of readable(disk.map(start, bytes))) {
    await breather.breathe(options.signal)
    options.onProgress?.({ current: extent.start + extent.bytes - start, total })
    const { file, ...rest } = extent
    const next: MapExtent = { ...rest, filename: file?.filename ?? '' }
    if (pending !== undefined && continues(pending, next)) {
      pending = { ...pending, bytes: pending.bytes + next.bytes }
      continue
    }
    if (pending !== undefined) yield pending
    pending = next
  }
  if (pending !== undefined) yield pending
}

/** Whether two neighbours are of one kind, and of one piece where they lie. */
export function continuesExtent(current: MapExtent, next: MapExtent): boolean {
  if (current.depth !== next.depth || current.compressed !== next.compressed) return false
  if (current.data !== next.data || current.zero !== next.zero || current.present !== next.present) return false
  return continuesPlace(current, next)
}

/** Whether `next` lies in the same file right behind `current`, or neither has a place. */
export function continuesPlace(current: MapExtent, next: MapExtent): boolean {
  if ((current.hostOffset === undefined) !== (next.hostOffset === undefined)) return false
  if (current.hostOffset === undefined) return true
  return current.filename === next.filename && next.hostOffset === current.hostOffset + current.bytes
}

async function* readable(extents: AsyncIterable<Extent>): AsyncGenerator<Extent> {
  try {
    yield* extents
  } catch (error) {
    throw error instanceof BlockError ? error.prepend('Could not read file metadata: ') : error
  }
}
