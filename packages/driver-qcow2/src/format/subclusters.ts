/** The second word of an extended L2 entry: what each of its cluster's 32 subclusters reads as. */

import { subclustersPerExtendedCluster } from './constants.ts'
import type { ClusterType } from './l2-entry.ts'

/**
 * What one subcluster reads as. `unallocated-alloc`: the backing file shows, and a place in the cluster's host cluster
 * is kept for what will be written. `invalid`: the entry contradicts itself.
 */
export type SubclusterType = ClusterType | 'unallocated-alloc' | 'invalid'

/** Either half of the word for a cluster of which all subclusters read as zero (upper) or are allocated (lower). */
export const allSubclusters = 0xffffffff

/**
 * The type of subcluster `index` of an extended L2 entry.
 *
 * @param type - type of the entry's first word
 * @param zeroBits - upper half of the second word: bit i means that subcluster i reads as zero
 * @param allocBits - lower half of the second word: bit i means that subcluster i is allocated
 * @param index - 0 to 31
 * @see docs/interop/qcow2.txt, "Extended L2 Entries"
 */
export function subclusterType(type: ClusterType, zeroBits: number, allocBits: number, index: number): SubclusterType {
  if (type === 'compressed') return 'compressed'
  const zero = (zeroBits & (1 << index)) !== 0
  if (type === 'normal') {
    if ((zeroBits & allocBits) !== 0) return 'invalid'
    if (zero) return 'zero-alloc'
    return (allocBits & (1 << index)) !== 0 ? 'normal' : 'unallocated-alloc'
  }
  if (allocBits !== 0) return 'invalid'
  return zero ? 'zero-plain' : 'unallocated'
}

/** How many subclusters from number `index` on are of the type that it has, at most to the end of the cluster. */
export function subclusterRun(type: SubclusterType, zeroBits: number, allocBits: number, index: number): number {
  // Bits that end the run are ones.
  let ends: number
  if (type === 'normal') ends = ~allocBits
  else if (type === 'zero-alloc' || type === 'zero-plain') ends = ~zeroBits
  else if (type === 'compressed') ends = 0
  else ends = zeroBits | allocBits
  return lowestBit(ends >>> index, subclustersPerExtendedCluster - index)
}

/** Bits of the subclusters from number `from` to before number `to`, which lies behind it. */
export function subclusterMask(from: number, to: number): number {
  const tail = to === subclustersPerExtendedCluster ? 0 : allSubclusters << to
  return ((allSubclusters << from) & ~tail) >>> 0
}

/** Number of the lowest bit that is set in `bits`; `none` where there is none. */
export function lowestBit(bits: number, none: number): number {
  return bits === 0 ? none : 31 - Math.clz32(bits & -bits)
}

/** Stores the second word of the extended entry at byte `position` of `view`. */
export function storeSubclusters(view: DataView, position: number, zeroBits: number, allocBits: number): void {
  view.setUint32(position + 8, zeroBits)
  view.setUint32(position + 12, allocBits)
}

/** Whether the second word of the extended entry at byte `position` of `view` is made of these halves. */
export function hasSubclusters(view: DataView, position: number, zeroBits: number, allocBits: number): boolean {
  return view.getUint32(position + 8) === zeroBits && view.getUint32(position + 12) === allocBits
}
