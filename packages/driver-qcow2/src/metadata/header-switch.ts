/** How one first cluster takes the place of another so that a power cut, which may lose any sector, shows either of them. */

import { encodeFirstCluster, type HeaderExtensions } from '../format/header-extension.ts'
import type { Header } from '../format/header.ts'

/** What a disk writes whole or not at all. */
export const sectorBytes = 512

/** Where the last byte that is not zero ends. */
export function usedBytes(cluster: Uint8Array): number {
  return cluster.findLastIndex((byte) => byte !== 0) + 1
}

/**
 * How `wanted` comes into force: `'at once'`, in one write, where nothing but the first sector changes, or there is no
 * room for anything better; `'directly'`, by its first sector, once what it has behind that is durable, where only one
 * of the two has anything there; or else by way of the cluster that is given.
 */
export function planSwitch(change: HeaderSwitch): 'at once' | 'directly' | Uint8Array {
  const [old, wanted] = [change.old.subarray(sectorBytes), change.wanted.subarray(sectorBytes)]
  if (wanted.every((byte, at) => byte === old[at])) return 'at once'
  if (usedBytes(old) === 0 || usedBytes(wanted) === 0) return 'directly'
  return clusterBetween(change) ?? 'at once'
}

/** Both what is there and what is to be, beside the values of the latter. */
export interface HeaderSwitch {
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
export function clusterBetween({ old, wanted, header, extensions }: HeaderSwitch): Uint8Array | undefined {
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
