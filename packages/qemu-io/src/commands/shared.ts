/** What several commands share: the open image, options that mean the same everywhere, ranges and lengths. */

import type { BlockBackend } from '@blocklayer/block-core'
import type { Arguments } from '../arguments.ts'
import { CommandFailure, complain } from '../failure.ts'
import { bytesMax, parseNumber } from '../numbers.ts'
import type { OpenedImage, ReportMode, Session } from '../session.ts'
import type { CommandOption } from '../syntax.ts'

/** Options that several commands have. */
export const commonOptions: Readonly<Record<CommonOption, CommandOption>> = {
  forPrograms: { letter: 'C', text: 'report in one line for programs' },
  quiet: { letter: 'q', text: 'do not report what was done' },
  dump: { letter: 'v', text: 'show the bytes that were read' },
  verify: { letter: 'P', value: 'pattern', text: 'fail unless every byte read is this one' },
  fill: { letter: 'P', value: 'pattern', text: 'write this byte instead of 0xcd' },
  durable: { letter: 'f', text: 'the data is durable when the write returns (FUA)' },
  zeroes: { letter: 'z', text: 'write zeroes without sending any data' },
  unmap: { letter: 'u', text: 'with -z: the space may be given back' },
  ignored: { letter: 'p', text: 'ignored, for old scripts' },
}

/** Names of the options that several commands have. */
export type CommonOption =
  | 'forPrograms'
  | 'quiet'
  | 'dump'
  | 'verify'
  | 'fill'
  | 'durable'
  | 'zeroes'
  | 'unmap'
  | 'ignored'

/** Buffers for reading begin with this, so that what no read has filled is seen. */
export const unreadByte = 0xab

/** What is written where no pattern is given. */
export const defaultPattern = 0xcd

/** The image, for commands that are not run without one. @throws CommandFailure */
export function openImageOf(session: Session): OpenedImage {
  const { image } = session
  if (image === undefined) throw new CommandFailure({ err: "no file open, try 'help open'\n" })
  return image
}

/** The image's backend. @throws CommandFailure */
export function backendOf(session: Session): BlockBackend {
  return openImageOf(session).backend
}

/** How the flags among these letters want a report. */
export function reportMode(flags: ReadonlySet<string>): ReportMode {
  return { quiet: flags.has('q'), forPrograms: flags.has('C') }
}

/** A number, with warnings told. @throws CommandFailure */
export function numberOf(session: Session, word: string): number {
  return parseNumber(word, (message) => session.warn(message))
}

/**
 * The offset and the length that most commands end with.
 *
 * @throws CommandFailure, the usage for any other number of operands
 */
export function rangeOf(session: Session, args: Arguments): { readonly offset: number; readonly bytes: number } {
  if (args.operands.length !== 2) throw args.usage()
  const offset = numberOf(session, args.operand(0))
  return { offset, bytes: numberOf(session, args.operand(1)) }
}

/**
 * @param exception - how the command goes on about its limit: ` without -n`
 * @throws CommandFailure where `bytes` do not fit into a buffer
 */
export function requireBufferLength(bytes: number, word: string, exception = ''): void {
  if (bytes > bytesMax) throw complain(`length cannot exceed ${bytesMax}${exception}, given ${word}`)
}

/**
 * The offset, and the lengths of buffers that follow each other.
 *
 * @throws CommandFailure, the usage where there is no length
 */
export function vectorOf(session: Session, args: Arguments): { readonly offset: number; readonly lengths: number[] } {
  if (args.operands.length < 2) throw args.usage()
  const offset = numberOf(session, args.operand(0))
  const lengths: number[] = []
  let total = 0
  for (const word of args.operands.slice(1)) {
    const bytes = numberOf(session, word)
    if (bytes > bytesMax) throw complain(`Argument '${word}' exceeds maximum size ${bytesMax}`)
    total += bytes
    if (total > bytesMax) throw complain(`The total number of bytes exceed the maximum size ${bytesMax}`)
    lengths.push(bytes)
  }
  return { offset, lengths }
}

/** Buffers of these lengths, parts of one that `whole` gives; each byte is `fill`. */
export function buffersOf(
  lengths: readonly number[],
  fill: number,
): { readonly whole: Uint8Array; readonly parts: readonly Uint8Array[] } {
  const whole = new Uint8Array(lengths.reduce((sum, bytes) => sum + bytes, 0)).fill(fill)
  let at = 0
  const parts = lengths.map((bytes) => {
    at += bytes
    return whole.subarray(at - bytes, at)
  })
  return { whole, parts }
}
