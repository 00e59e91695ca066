/** What kinds of failure there are, for programs; and which kind an error is. */

import { BlockError, type Errno } from '@blocklayer/block-core'
import type { ErrorCode } from './failure.ts'

/** The codes of `--errors json`. They are stable: a code is never given another meaning, and none goes away. */
export const errorCodes: { readonly [code in ErrorCode]: string } = {
  usage: 'the command line cannot be understood, or contradicts itself; no image was opened',
  refused: 'what is asked for does not fit the images that were opened',
  'open-failed': 'an image could not be opened',
  'image-locked': 'an image is in use by another process',
  'create-failed': 'an image could not be made',
  'read-failed': 'an image could not be read',
  'write-failed': 'an image could not be written',
  'close-failed': 'what was left to write when an image was closed could not be written',
  'operation-failed': 'an operation on an image failed',
  interrupted: 'a signal ended the command',
  internal: 'the program itself is wrong; please report it',
}

/** By what the reference's messages say; the first that fits counts. */
const byMessage: readonly (readonly [RegExp, ErrorCode])[] = [
  [/error while (converting|creating)/, 'create-failed'],
  [/^Error while closing/, 'close-failed'],
  [/error while reading|^Sector allocation test failed/i, 'read-failed'],
  [/error while writing/i, 'write-failed'],
  [/^Could not open /, 'open-failed'],
]

/**
 * The kind of an error that ends a command.
 *
 * @param code - what the error says of itself
 * @param started - an image was opened or made, or that was tried
 */
export function errorCode(
  error: Error,
  { code, started }: { code?: ErrorCode | undefined; started: boolean },
): ErrorCode {
  const block = blockErrorIn(error)
  if (block !== undefined && isLocked(block)) return 'image-locked'
  if (code !== undefined) return code
  if (!started) return 'usage'
  // The library did nothing, for a reason that it names.
  if (block?.details?.reason !== undefined) return 'refused'
  const [, fitting] = byMessage.find(([pattern]) => pattern.test(error.message)) ?? []
  return fitting ?? (block === undefined ? 'refused' : 'operation-failed')
}

/** The errno behind an error: of the first cause that has one. */
export function errnoOf(error: Error): Errno | undefined {
  return blockErrorIn(error)?.code
}

function blockErrorIn(error: unknown): BlockError | undefined {
  for (let next = error; next instanceof Error; next = next.cause) if (next instanceof BlockError) return next
  return undefined
}

function isLocked({ code, message }: BlockError): boolean {
  return code === 'EAGAIN' && /Failed to (get|lock)/.test(message)
}
