/** A first cluster that is valid between two others: it lets another backing file come into force by one sector alone. */

import { encodeFirstCluster, type HeaderExtensions } from '../format/header-extension.ts'
import type { Header } from '../format/header.ts'

/** What a disk writes whole or not at all. */
const sectorBytes = 512

/** Where the last byte that is not zero ends. */
export function usedBytes(cluster: Uint8Array): number {
  return cluster.findLastIndex((byte) => byte !== 0) + 1
}

/** Both what is there and what is to be, beside the values of the latter. */
export interface BackingSwitch {
  readonly old: Uint8Array
  readonly wanted: Uint8Array
  readonly header: Header
  readonly extensions: HeaderExtensions
}

/**
 * A cluster that says what `wanted` says, with all but perhaps the backing file name in its first sector, and that name
 * where neither `old` nor `wanted` has anything. So it can be reached from `old`, and left for `wanted`, each by writing
 * behind the first sector what nobody looks at yet, and then that sector.
 *
 * @returns `undefined` where there is no need for one, and where there is no room
 */
export function clusterBetween({ old, wanted, header, extensions }: BackingSwitch): Uint8Array | undefined {
  const end = Math.max(usedBytes(old), usedBytes(wanted))
  if (end <= sectorBytes) return undefined
  const short = encodeFirstCluster(header, extensions, { withoutFeatureNames: true })
  if (usedBytes(short) <= sectorBytes) return short
  const bytes = extensions.backingFile?.length ?? 0
  const nameOffset = wanted.length - Math.ceil(bytes / sectorBytes) * sectorBytes
  if (nameOffset < Math.max(end, sectorBytes)) return undefined
  const far = encodeFirstCluster(header, extensions, { withoutFeatureNames: true, nameOffset })
  return usedBytes(far.subarray(sectorBytes, nameOffset)) === 0 ? far : undefined
}
