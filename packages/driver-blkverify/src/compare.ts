/** Decides whether two copies answered alike, and says where they did not. */

import { type BlockError, bytesEqual, errnoNumber, toBlockError } from '@blocklayer/block-core/driver'

/** A request that went to both copies. */
export interface VerifiedRequest {
  readonly type: 'read' | 'write'
  /** Guest offset and length in bytes. */
  readonly offset: number
  readonly bytes: number
}

/** How a request to one copy ended: the error it failed with, or `undefined`. */
export type Outcome = BlockError | undefined

/** The outcome of `work`. @throws what is no `BlockError` and cannot be made one: a bug, not an answer */
export async function outcomeOf(work: Promise<void>): Promise<Outcome> {
  try {
    await work
    return undefined
  } catch (error) {
    return toBlockError(error)
  }
}

/**
 * What the user is told when one copy failed and the other did not, or failed otherwise; `undefined` where they agree.
 *
 * @see QEMU 7.2 block/blkverify.c (text observed from the tools)
 */
export function outcomeMismatch(request: VerifiedRequest, test: Outcome, raw: Outcome): string | undefined {
  if (test?.code === raw?.code) return undefined
  return `${told(request)} return value mismatch ${returnValue(test)} != ${returnValue(raw)}`
}

/** What the user is told where the copies hold different bytes; `undefined` where they agree. */
export function contentMismatch(request: VerifiedRequest, test: Uint8Array, raw: Uint8Array): string | undefined {
  if (bytesEqual(test, raw)) return undefined
  const at = test.findIndex((byte, i) => byte !== raw[i])
  return `${told(request)} contents mismatch at offset ${request.offset + at}`
}

function told({ type, offset, bytes }: VerifiedRequest): string {
  return `blkverify: ${type} offset=${offset} bytes=${bytes}`
}

function returnValue(outcome: Outcome): number {
  return outcome === undefined ? 0 : -errnoNumber(outcome.code)
}
