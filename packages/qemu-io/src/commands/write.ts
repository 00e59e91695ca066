/** `write` and `writev`: a pattern, a file's bytes or zeroes, into the disk or into machine state. */

import { BlockError } from '@blocklayer/block-core'
import type { Arguments } from '../arguments.ts'
import { fillCyclically } from '../bytes.ts'
import type { Command } from '../command.ts'
import { CommandFailure, complain } from '../failure.ts'
import { requireHost } from '../host.ts'
import { bytesMax, parsePattern, requireSectors } from '../numbers.ts'
import type { Session } from '../session.ts'
import {
  backendOf,
  buffersOf,
  commonOptions,
  defaultPattern,
  rangeOf,
  reportMode,
  requireBufferLength,
  vectorOf,
} from './shared.ts'

/** `write [-bcCfnquz] [-P pattern | -s source_file] off len` */
export const writeCommand: Command = {
  name: 'write',
  alias: 'w',
  synopsis: '[-bcCfnquz] [-P pattern | -s source_file] off len',
  summary: 'writes a number of bytes at a specified offset',
  details:
    "'write 512 1k' writes one kilobyte of 0xcd at offset 512; 'write -z -u 0 1M' makes the first megabyte zeroes.",
  options: [
    { letter: 'b', text: 'write machine state instead of the disk' },
    { letter: 'c', text: 'write compressed: whole clusters that hold nothing yet' },
    commonOptions.forPrograms,
    commonOptions.durable,
    { letter: 'n', text: 'with -z: fail rather than write zeroes as data' },
    commonOptions.ignored,
    commonOptions.fill,
    commonOptions.quiet,
    { letter: 's', value: 'source_file', text: "write this file's bytes, over and over" },
    commonOptions.unmap,
    commonOptions.zeroes,
  ],
  wordsMin: 2,
  writes: true,
  run: runWrite,
}

/** `writev [-Cfq] [-P pattern] off len [len..]` */
export const writevCommand: Command = {
  name: 'writev',
  synopsis: '[-Cfq] [-P pattern] off len [len..]',
  summary: 'writes a number of bytes at a specified offset',
  details: "'writev 512 1k 1k' writes two kilobytes at offset 512, by one request out of two buffers.",
  options: [commonOptions.fill, commonOptions.forPrograms, commonOptions.durable, commonOptions.quiet],
  wordsMin: 2,
  writes: true,
  run: runWritev,
}

interface WriteOptions {
  readonly flags: ReadonlySet<string>
  readonly pattern: number | undefined
  readonly source: string | undefined
}

async function runWrite(session: Session, args: Arguments): Promise<boolean> {
  const options = writeOptions(args)
  const { flags } = options
  if (args.operands.length !== 2) throw args.usage()
  refuseConflicts(options)
  const { offset, bytes } = rangeOf(session, args)
  if (!flags.has('n')) requireBufferLength(bytes, args.operand(1), ' without -n')
  if (flags.has('b') || flags.has('c')) {
    requireSectors(offset, 'offset')
    requireSectors(bytes, 'count')
  }
  const data = flags.has('z') ? undefined : await dataOf(session, options, bytes)
  const seconds = await session.timed('write', () => write(session, flags, { offset, bytes, data }))
  if (seconds === undefined) return false
  session.report({ verb: 'wrote', offset, bytes, seconds }, reportMode(flags))
  return true
}

async function runWritev(session: Session, args: Arguments): Promise<boolean> {
  const { flags, pattern } = writeOptions(args)
  const { offset, lengths } = vectorOf(session, args)
  const { whole, parts } = buffersOf(lengths, pattern ?? defaultPattern)
  const seconds = await session.timed('writev', () => backendOf(session).write(offset, parts, { fua: flags.has('f') }))
  if (seconds === undefined) return false
  session.report({ verb: 'wrote', offset, bytes: whole.length, seconds }, reportMode(flags))
  return true
}

function writeOptions(args: Arguments): WriteOptions {
  const flags = new Set<string>()
  let pattern: number | undefined
  let source: string | undefined
  for (const { letter, value } of args.options()) {
    if (letter === 'P') pattern = parsePattern(value)
    else if (letter === 's') source = value
    else flags.add(letter)
  }
  return { flags, pattern, source }
}

function refuseConflicts({ flags, pattern, source }: WriteOptions): void {
  if (flags.has('b') && flags.has('z')) throw complain('-b and -z cannot be specified at the same time')
  if (flags.has('f') && (flags.has('b') || flags.has('c'))) {
    throw complain('-f and -b or -c cannot be specified at the same time')
  }
  if (flags.has('n') && !flags.has('z')) throw complain('-n requires -z to be specified')
  if (flags.has('u') && !flags.has('z')) throw complain('-u requires -z to be specified')
  const contents = [flags.has('z'), pattern !== undefined, source !== undefined].filter(Boolean)
  if (contents.length > 1) throw complain('Only one of -z, -P, and -s can be specified at the same time')
}

interface WriteRequest {
  readonly offset: number
  readonly bytes: number
  /** Absent: zeroes. */
  readonly data: Uint8Array | undefined
}

function write(session: Session, flags: ReadonlySet<string>, { offset, bytes, data }: WriteRequest): Promise<void> {
  const backend = backendOf(session)
  const fua = flags.has('f')
  if (data === undefined) {
    return backend.writeZeroes(offset, bytes, { fua, mayUnmap: flags.has('u'), noFallback: flags.has('n') })
  }
  if (flags.has('b')) return backend.writeVmState(offset, data)
  return flags.has('c') ? backend.writeCompressed(offset, data) : backend.write(offset, data, { fua })
}

async function dataOf(session: Session, { pattern, source }: WriteOptions, bytes: number): Promise<Uint8Array> {
  if (source === undefined) return new Uint8Array(bytes).fill(pattern ?? defaultPattern)
  const content = await readSource(session, source)
  // Nothing is read of a file that nothing is wanted of: the reference sees no difference.
  if (content.length === 0 || bytes === 0) throw new CommandFailure({ err: `${source}: file is empty\n` })
  const data = new Uint8Array(Math.min(bytes, bytesMax))
  fillCyclically(data, content)
  return data
}

async function readSource(session: Session, path: string): Promise<Uint8Array> {
  const { host } = session
  try {
    return await requireHost(host.readFile?.bind(host))(path)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw new CommandFailure({ err: `${path}: ${error.errnoText}\n` }, { cause: error })
  }
}
