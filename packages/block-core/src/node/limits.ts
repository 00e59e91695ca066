/** What a driver allows in one request, merged from its own limits and its children's. */

import type { LayerLimits } from '../driver/block-layer.ts'
import { ChildRoles } from '../driver/child.ts'
import { BlockError } from '../errors.ts'
import { alignDown } from '../util/align.ts'

/** Longest request the layer passes on at all (QEMU: BDRV_REQUEST_MAX_BYTES). */
export const requestBytesMax = 2147483136
/** Largest alignment a driver may ask for. */
export const alignmentMax: number = 2 ** 30
/** Longest buffer of zeroes that the fallback of a zero write uses. */
export const bounceBufferMax: number = 16 * 1024 * 1024

/** Limits with every rule applied: no value is 0, "no limit" is a large number. */
export interface ResolvedLimits {
  readonly requestAlignment: number
  readonly maxTransfer: number
  readonly zeroAlignment: number
  readonly maxZeroes: number
  readonly discardAlignment: number
  readonly maxDiscard: number
}

/** What an inherited limit comes from. */
export interface LimitingEdge {
  readonly role: number
  readonly node: { readonly limits: ResolvedLimits }
}

/**
 * Only the transfer length is inherited; alignments are the driver's own business.
 *
 * @throws BlockError `EINVAL` for an alignment above 1 GiB
 * @see spec/block-layer.md, section 13
 */
export function resolveLimits(limits: LayerLimits | undefined, edges: Iterable<LimitingEdge>): ResolvedLimits {
  const own = limits ?? {}
  const requestAlignment = own.requestAlignment || 1
  if (requestAlignment > alignmentMax) throw new BlockError('EINVAL', 'Driver requires too large request alignment')
  let maxTransfer = own.maxTransfer || Number.POSITIVE_INFINITY
  for (const edge of edges) {
    if ((edge.role & (ChildRoles.data | ChildRoles.filtered | ChildRoles.cow)) === 0) continue
    maxTransfer = Math.min(maxTransfer, edge.node.limits.maxTransfer)
  }
  const zeroAlignment = Math.max(own.zeroAlignment || 1, requestAlignment)
  const discardAlignment = Math.max(own.discardAlignment || 1, requestAlignment)
  return {
    requestAlignment,
    maxTransfer: wholeUnits(maxTransfer, requestAlignment),
    zeroAlignment,
    maxZeroes: wholeUnits(own.maxZeroes || Number.POSITIVE_INFINITY, zeroAlignment),
    discardAlignment,
    maxDiscard: wholeUnits(own.maxDiscard || Number.POSITIVE_INFINITY, discardAlignment),
  }
}

function wholeUnits(limit: number, alignment: number): number {
  return Number.isFinite(limit)
    ? Math.max(alignDown(limit, alignment), alignment)
    : alignDown(requestBytesMax, alignment)
}
