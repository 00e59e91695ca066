/** What a node asks of the requests it gets, under the names of QEMU 10's `BlockLimitsInfo`. */

import { type BlockNode, limitsOf } from '@blocklayer/block-core'

/** Limits in bytes; what is absent has none of its own. */
export interface BlockLimits {
  readonly 'request-alignment': number
  readonly 'max-discard'?: number
  readonly 'discard-alignment'?: number
  readonly 'max-write-zeroes'?: number
  readonly 'write-zeroes-alignment'?: number
  readonly 'max-transfer'?: number
}

/** Limits of a node, those of its own driver; only the alignment of requests is there always. */
export function blockLimits(node: BlockNode): BlockLimits {
  const { own, resolved } = limitsOf(node)
  return {
    'request-alignment': resolved.requestAlignment,
    ...(own.maxDiscard ? { 'max-discard': own.maxDiscard } : {}),
    ...(own.discardAlignment ? { 'discard-alignment': own.discardAlignment } : {}),
    ...(own.maxZeroes ? { 'max-write-zeroes': own.maxZeroes } : {}),
    ...(own.zeroAlignment ? { 'write-zeroes-alignment': own.zeroAlignment } : {}),
    ...(own.maxTransfer ? { 'max-transfer': own.maxTransfer } : {}),
  }
}
