/** How one first cluster takes the place of another so that a power cut, which may lose any sector, shows either of them. */

import { encodeFirstCluster, extensionsEnd, type HeaderExtensions } from '../format/header-extension.ts'
import { decodeHeader, type Header } from '../format/header.ts'

/** What a disk writes whole or not at all. */
export const sectorBytes = 512

/** Where the last byte that is not zero ends. */
export function usedBytes(cluster: Uint8Array): number {
  return cluster.findLastIndex((byte) => byte !== 0) + 1
}

/** Bytes of a first cluster, from `start` to below `end`. */
export interface ClusterPart {
  readonly start: number
  readonly end: number
}

/**
 * What whoever is led by the first sector of `cluster` looks at behind it, zeroes included: the rest of the extensions up
 * to their end mark, and the backing file's name.
 *
 * @throws BlockError `EINVAL` where the extensions make no sense
 */
export function partsLookedAt(cluster: Uint8Array): readonly ClusterPart[] {
  const header = decodeHeader(cluster)
  const { backingFileOffset: name, backingFileSize } = header
  const extensions = { start: sectorBytes, end: extensionsEnd(header, cluster) }
  const nameEnd = name === 0 ? 0 : Math.min(cluster.length, name + backingFileSize)
  if (extensions.end >= name && nameEnd > sectorBytes) return [{ start: sectorBytes, end: nameEnd }]
  return [extensions, { start: Math.max(sectorBytes, name), end: nameEnd }].filter(({ start, end }) => start < end)
}

/**
 * Whether all that `wanted` looks at behind the first sector may be written while that of `old` is in force, and leads to
 * the same as before all the while.
 */
export function canFollow(old: Uint8Array, wanted: Uint8Array): boolean {
  const seen = partsLookedAt(old)
  return partsLookedAt(wanted).every((part) =>
    seen.every(({ start, end }) => {
      for (let at = Math.max(start, part.start); at < Math.min(end, part.end); at++) {
        if (old[at] !== wanted[at]) return false
      }
      return true
    }),
  )
}

/**
 * How `wanted` comes into force: `'at once'`, in one write, where nothing but the first sector changes, or there is no
 * room for anything better; `'directly'`, by its first sector, once what it has behind that is durable, where the present
 * one does not look there; or else by way of the cluster that is given.
 */
export function planSwitch(change: HeaderSwitch): 'at once' | 'directly' | Uint8Array {
  const { old, wanted } = change
  if (wanted.every((byte, at) => at < sectorBytes || byte === old[at])) return 'at once'
  if (canFollow(old, wanted)) return 'directly'
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
 * @returns `undefined` where there is no room
 */
export function clusterBetween({ old, wanted, header, extensions }: HeaderSwitch): Uint8Array | undefined {
  const short = encodeFirstCluster(header, extensions, { withoutFeatureNames: true })
  if (partsLookedAt(short).length === 0) return short
  const end = Math.max(sectorBytes, usedBytes(old), usedBytes(wanted))
  const bytes = extensions.backingFile?.length ?? 0
  const nameOffset = wanted.length - Math.ceil(bytes / sectorBytes) * sectorBytes
  if (nameOffset < end) return undefined
  const far = encodeFirstCluster(header, extensions, { withoutFeatureNames: true, nameOffset })
  return canFollow(old, far) && canFollow(far, wanted) ? far : undefined
}
