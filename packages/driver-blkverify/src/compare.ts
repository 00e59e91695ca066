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

/**
 * What the user is told where the copies hold different bytes; `undefined` where they agree.
 *
 * @param test - what the tested image gave, in order
 * @param raw - as many bytes of the raw copy
 */
export function contentMismatch(
  request: VerifiedRequest,
  test: readonly Uint8Array[],
  raw: Uint8Array,
): string | undefined {
  let done = 0
  for (const part of test) {
    const expected = raw.subarray(done, done + part.length)
    if (!bytesEqual(part, expected)) {
      const at = part.findIndex((byte, i) => byte !== expected[i])
      return `${told(request)} contents mismatch at offset ${request.offset + done + at}`
    }
    done += part.length
  }
  return undefined
}

function told({ type, offset, bytes }: VerifiedRequest): string {
  return `blkverify: ${type} offset=${offset} bytes=${bytes}`
}

function returnValue(outcome: Outcome): number {
  return outcome === undefined ? 0 : -errnoNumber(outcome.code)
}
