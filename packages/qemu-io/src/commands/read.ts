/** `read` and `readv`: bytes of the disk, or of machine state, to be verified or shown. */

import type { Arguments } from '../arguments.ts'
import { dumpLines, isFilledWith } from '../bytes.ts'
import type { Command } from '../command.ts'
import { complain } from '../failure.ts'
import { parsePattern, requireSectors } from '../numbers.ts'
import type { Session } from '../session.ts'
import {
  backendOf,
  buffersOf,
  commonOptions,
  numberOf,
  rangeOf,
  reportMode,
  requireBufferLength,
  unreadByte,
  vectorOf,
} from './shared.ts'

/** `read [-abCqv] [-P pattern [-s off] [-l len]] off len` */
export const readCommand: Command = {
  name: 'read',
  alias: 'r',
  synopsis: '[-abCqv] [-P pattern [-s off] [-l len]] off len',
  summary: 'reads a number of bytes at a specified offset',
  details:
    "'read -v 512 1k' shows one kilobyte from offset 512. With -P the command fails unless all bytes, or the part that " +
    '-s and -l say, are that byte.',
  options: [
    { letter: 'b', text: 'read machine state instead of the disk' },
    commonOptions.forPrograms,
    { letter: 'l', value: 'len', text: 'with -P: how many bytes to verify' },
    commonOptions.ignored,
    commonOptions.verify,
    commonOptions.quiet,
    { letter: 's', value: 'off', text: 'with -P: the first byte to verify, from the beginning of the read' },
    commonOptions.dump,
  ],
  wordsMin: 2,
  run: runRead,
}

/** `readv [-Cqv] [-P pattern] off len [len..]` */
export const readvCommand: Command = {
  name: 'readv',
  synopsis: '[-Cqv] [-P pattern] off len [len..]',
  summary: 'reads a number of bytes at a specified offset',
  details: "'readv -v 512 1k 1k' shows two kilobytes from offset 512, read by one request into two buffers.",
  options: [commonOptions.forPrograms, commonOptions.verify, commonOptions.dump, commonOptions.quiet],
  wordsMin: 2,
  run: runReadv,
}

/** What is verified of a read: `-P`, `-s`, `-l`. */
interface Verification {
  readonly pattern: number
  /** From the beginning of the read. */
  readonly start: number
  readonly bytes: number
}

async function runRead(session: Session, args: Arguments): Promise<boolean> {
  const flags = new Set<string>()
  const given: { pattern?: number; start?: number; length?: number } = {}
  for (const { letter, value } of args.options()) {
    if (letter === 'P') given.pattern = parsePattern(value)
    else if (letter === 's') given.start = numberOf(session, value)
    else if (letter === 'l') given.length = numberOf(session, value)
    else flags.add(letter)
  }
  const { offset, bytes } = rangeOf(session, args)
  requireBufferLength(bytes, args.operand(1))
  const { pattern, start = 0, length } = given
  if (pattern === undefined && (given.start !== undefined || length !== undefined)) throw args.usage()
  const verification = pattern === undefined ? undefined : { pattern, start, bytes: length ?? bytes - start }
  if (verification !== undefined) requireInside(verification, bytes)
  if (flags.has('b')) {
    requireSectors(offset, 'offset')
    requireSectors(bytes, 'count')
  }
  const backend = backendOf(session)
  const into = new Uint8Array(bytes).fill(unreadByte)
  const seconds = await session.timed('read', () =>
    flags.has('b') ? backend.readVmState(offset, into) : backend.read(offset, into),
  )
  if (seconds === undefined) return false
  return concludeRead(session, { offset, data: into, seconds, flags, verification })
}

async function runReadv(session: Session, args: Arguments): Promise<boolean> {
  const flags = new Set<string>()
  let pattern: number | undefined
  for (const { letter, value } of args.options()) {
    if (letter === 'P') pattern = parsePattern(value)
    else flags.add(letter)
  }
  const { offset, lengths } = vectorOf(session, args)
  const { whole, parts } = buffersOf(lengths, unreadByte)
  const seconds = await session.timed('readv', () => backendOf(session).read(offset, parts))
  if (seconds === undefined) return false
  const verification = pattern === undefined ? undefined : { pattern, start: 0, bytes: whole.length }
  return concludeRead(session, { offset, data: whole, seconds, flags, verification })
}

/** A read that succeeded, to be verified, shown and reported. */
export interface FinishedRead {
  readonly offset: number
  readonly data: Uint8Array
  readonly seconds: number
  /** Of the command; `v`, `C` and `q` count. */
  readonly flags: ReadonlySet<string>
  readonly verification: Verification | undefined
}

/** Verifies, shows and reports. @returns whether the bytes are what they should be */
export function concludeRead(session: Session, read: FinishedRead): boolean {
  const { offset, data, seconds, flags, verification } = read
  const matches = verification === undefined || isVerified(session, read, verification)
  const mode = reportMode(flags)
  if (flags.has('v') && !mode.quiet) for (const line of dumpLines(data, offset)) session.out(line)
  session.report({ verb: 'read', offset, bytes: data.length, seconds }, mode)
  return matches
}

function isVerified(
  session: Session,
  { offset, data }: FinishedRead,
  { pattern, start, bytes }: Verification,
): boolean {
  if (isFilledWith(data.subarray(start, start + bytes), pattern)) return true
  session.out(`Pattern verification failed at offset ${offset + start}, ${bytes} bytes\n`)
  return false
}

function requireInside({ start, bytes }: Verification, length: number): void {
  if (bytes < 0 || start + bytes > length) throw complain('pattern verification range exceeds end of read data')
}
