/** Images whose fields claim sizes that nobody could hold. */

import type { Victim } from './image.ts'
import { type Mutation, mutation } from './mutation.ts'

/** A size that does not fit what the image is, by name. */
export const hostileSizes: readonly Mutation[] = [
  mutation('the largest L1 table', (image) => image.set32(36, 4194304)),
  mutation('an L1 table of 32 GiB', (image) => image.set32(36, 2 ** 32 - 1)),
  mutation('the largest refcount table', (image) => image.set32(56, 2 ** 23 / image.clusterSize)),
  mutation('a refcount table of 2^32 - 1 clusters', (image) => image.set32(56, 2 ** 32 - 1)),
  mutation('the most snapshots', (image) => image.set32(60, 65536)),
  mutation('2^32 - 1 snapshots', (image) => image.set32(60, 2 ** 32 - 1)),
  mutation('the largest L1 table of a snapshot', (image) => image.set32(image.snapshots + 8, 4194304)),
  mutation('an L1 table of 32 GiB of a snapshot', (image) => image.set32(image.snapshots + 8, 2 ** 32 - 1)),
  mutation('4 GiB of extra snapshot data', (image) => image.set32(image.snapshots + 36, 2 ** 32 - 1)),
  mutation('the largest bitmap directory', (image) => bitmaps(image, 67107840n)),
  mutation('a bitmap directory of 2^62 bytes', (image) => bitmaps(image, 1n << 62n)),
  mutation('a header of 4 GiB', (image) => image.set32(100, 2 ** 32 - 8)),
  mutation('clusters of 2^31 bytes', (image) => image.set32(20, 31)),
  mutation('a header extension of 4 GiB', (image) => image.set32(image.extensions()[0]!.at + 4, 2 ** 32 - 8)),
  mutation('a disk of 2^62 bytes', (image) => image.set(24, 1n << 62n)),
  mutation('a compressed cluster of all sectors', (image) =>
    image.set(image.entry('compressed'), (old) => old | (0x3fffn << 48n)),
  ),
  mutation('a refcount block far away', (image) => image.set(image.table(1), 1n << 40n)),
]

/** The table of bitmaps is at the end of the file, where zeroes follow. */
function bitmaps(image: Victim, bytes: bigint): Victim {
  const extension = new Uint8Array(24)
  const view = new DataView(extension.buffer)
  view.setUint32(0, 65535)
  view.setBigUint64(8, bytes)
  view.setBigUint64(16, image.end)
  return image.set(88, 1n).extend(0x23852875, extension)
}
