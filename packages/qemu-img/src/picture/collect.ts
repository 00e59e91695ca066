/** What a picture shows, as numbers: where the disk's bytes come from, and what the image's file is made of. */

import { type BlockBackend, BlockError, type BlockNode, type JobOptions, layoutOf } from '@blocklayer/block-core'
import { type ImageInfo, imageInfo } from '../image-info.ts'
import { type MapExtent, mapImage } from '../map-image.ts'
import { CellMap } from './cells.ts'
import { fileKindOf, fileKinds, guestKindOf, guestKinds } from './kinds.ts'

/** One image of the chain. */
export interface PictureImage {
  readonly filename: string
  readonly format: string
  /** Bytes of the disk that come from it. */
  bytes: number
}

/** How the data of the image itself lies in its file. */
export interface Fragmentation {
  /** Runs of data that lie in one piece. */
  readonly pieces: number
  readonly bytes: number
  /** Bytes in pieces of up to 64 KiB, 1 MiB, 16 MiB, 256 MiB, and more. */
  readonly byLength: readonly number[]
}

/** All that is shown of an image. */
export interface Picture {
  readonly info: ImageInfo
  readonly chain: readonly PictureImage[]
  readonly guest: CellMap
  /** `undefined` where the format says nothing of its file. */
  readonly file: CellMap | undefined
  /** Places that are named and do not exist, in bytes: damage. */
  readonly brokenBytes: number
  readonly fragmentation: Fragmentation
}

/** How a picture is made. Progress: up to 1 the disk, up to 2 the file. */
export interface PictureOptions extends JobOptions {
  /** Bytes that describing the file may take. Default 64 MiB; where it is not enough, the file is not shown. */
  readonly memoryMax?: number | undefined
}

/** Bounds of the lengths of `Fragmentation.byLength`. */
export const pieceBounds: readonly number[] = [2 ** 16, 2 ** 20, 2 ** 24, 2 ** 28, Number.POSITIVE_INFINITY]

/**
 * Looks at all of an image's metadata. The backing files count where they are open.
 *
 * @throws BlockError where metadata cannot be read; `signal.reason`
 * @example
 * const picture = await collectPicture(disk)
 * console.log(picture.chain.map(({ filename, bytes }) => `${filename}: ${bytes}`))
 */
export async function collectPicture(disk: BlockBackend, options: PictureOptions = {}): Promise<Picture> {
  const info = await imageInfo(disk)
  const chain = chainOf(disk.root)
  const isCut = chain.length === 1 && info.backingFilename !== undefined
  const empty = isCut ? 'left to the backing file' : 'nothing: reads as zeroes'
  const unit = info.clusterSize ?? 65536
  const guest = new CellMap({ bytes: disk.length, unit, kinds: guestKinds(chain.length), empty })
  const pieces = new Pieces()
  const job = { signal: options.signal, onProgress: partOf(0, options) }
  for await (const extent of mapImage(disk, job)) {
    const kind = guestKindOf(guest.kinds, extent)
    if (kind === undefined) continue
    guest.add(kind, extent.start, extent.bytes)
    const image = chain[extent.depth]
    if (image !== undefined) image.bytes += extent.bytes
    pieces.add(extent)
  }
  return { info, chain, guest, ...(await describeFile(disk.root, unit, options)), fragmentation: pieces.result() }
}

/** The images of a chain, filters left out, as depths count them. */
function chainOf(top: BlockNode): PictureImage[] {
  const images: PictureImage[] = []
  for (let node: BlockNode | undefined = top; node !== undefined; ) {
    const isFilter: boolean = node.driverKind === 'filter'
    if (!isFilter) images.push({ filename: node.filename, format: node.driverName, bytes: 0 })
    node = isFilter ? [...node.children.values()][0] : node.backing
  }
  return images
}

/** Progress of one part of the work, behind `before` others. */
function partOf(before: number, { onProgress }: PictureOptions): JobOptions['onProgress'] {
  if (onProgress === undefined) return undefined
  return ({ current, total }) => onProgress({ current: before + (total > 0 ? current / total : 1), total: 2 })
}

async function describeFile(
  top: BlockNode,
  unit: number,
  options: PictureOptions,
): Promise<Pick<Picture, 'file' | 'brokenBytes'>> {
  const layout = layoutOf(top)
  const file = top.children.get('file')
  if (layout === undefined || file === undefined) return { file: undefined, brokenBytes: 0 }
  const map = new CellMap({ bytes: file.length, unit, kinds: fileKinds(layout.names), empty: 'free' })
  const { signal, memoryMax } = options
  let brokenBytes = 0
  try {
    for await (const { kind, offset, bytes, child } of layout.describe({
      signal,
      memoryMax,
      onProgress: partOf(1, options),
    })) {
      const number = fileKindOf(kind)
      if (kind === 'broken') brokenBytes += bytes
      else if (number !== undefined && child === undefined) map.add(number, offset, bytes)
    }
  } catch (error) {
    if (error instanceof BlockError && error.code === 'ENOMEM') return { file: undefined, brokenBytes }
    throw error
  }
  return { file: map, brokenBytes }
}

/** Adds up pieces by their length. */
class Pieces {
  #pieces = 0
  #bytes = 0
  readonly #byLength = pieceBounds.map(() => 0)

  add({ depth, data, zero, hostOffset, bytes }: MapExtent): void {
    if (depth !== 0 || !data || zero || hostOffset === undefined) return
    this.#pieces++
    this.#bytes += bytes
    const length = pieceBounds.findIndex((bound) => bytes <= bound)
    this.#byLength[length]! += bytes
  }

  result(): Fragmentation {
    return { pieces: this.#pieces, bytes: this.#bytes, byLength: this.#byLength }
  }
}
