/** `aio_read`, `aio_write` and `aio_flush`: requests that are begun now and reported when they end. */

import type { BlockError } from '@blocklayer/block-core'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { complain } from '../failure.ts'
import { parsePattern } from '../numbers.ts'
import type { Session } from '../session.ts'
import { concludeRead } from './read.ts'
import {
  backendOf,
  buffersOf,
  commonOptions,
  defaultPattern,
  numberOf,
  reportMode,
  unreadByte,
  vectorOf,
} from './shared.ts'

const asynchronous =
  'The command succeeds as soon as the request is begun; errors and patterns that do not match are told when it ends, ' +
  'and change no exit status. aio_flush waits for all of them.'

/** `aio_read [-Ciqv] [-P pattern] off len [len..]` */
export const aioReadCommand: Command = {
  name: 'aio_read',
  synopsis: '[-Ciqv] [-P pattern] off len [len..]',
  summary: 'asynchronously reads a number of bytes',
  details: asynchronous,
  options: [
    commonOptions.forPrograms,
    commonOptions.verify,
    { letter: 'i', text: 'do not read: count as an invalid request' },
    commonOptions.quiet,
    commonOptions.dump,
  ],
  wordsMin: 2,
  run: runRead,
}

/** `aio_write [-Cfiquz] [-P pattern] off len [len..]` */
export const aioWriteCommand: Command = {
  name: 'aio_write',
  synopsis: '[-Cfiquz] [-P pattern] off len [len..]',
  summary: 'asynchronously writes a number of bytes',
  details: asynchronous,
  options: [
    commonOptions.forPrograms,
    commonOptions.durable,
    { letter: 'i', text: 'do not write: count as an invalid request' },
    commonOptions.fill,
    commonOptions.quiet,
    commonOptions.unmap,
    commonOptions.zeroes,
  ],
  wordsMin: 2,
  writes: true,
  run: runWrite,
}

/** `aio_flush` */
export const aioFlushCommand: Command = {
  name: 'aio_flush',
  summary: 'completes all outstanding aio requests',
  wordsMin: 0,
  wordsMax: 0,
  async run(session) {
    await session.outstanding.drain()
    return true
  },
}

interface AioOptions {
  readonly flags: ReadonlySet<string>
  readonly pattern: number | undefined
}

function runRead(session: Session, args: Arguments): boolean {
  const { flags, pattern } = aioOptions(session, args, 'read')
  if (flags.has('i')) return true
  const { offset, lengths } = vectorOf(session, args)
  const { whole, parts } = buffersOf(lengths, unreadByte)
  const backend = backendOf(session)
  const start = session.now()
  const ended = (failure: BlockError | undefined): void => {
    const seconds = session.now() - start
    const verification = pattern === undefined ? undefined : { pattern, start: 0, bytes: whole.length }
    if (failure !== undefined) session.out(`readv failed: ${failure.errnoText}\n`)
    else concludeRead(session, { offset, data: whole, seconds, flags, verification })
  }
  session.outstanding.begin(() => backend.read(offset, parts), ended)
  return true
}

function runWrite(session: Session, args: Arguments): boolean {
  const { flags, pattern } = aioOptions(session, args, 'write')
  if (flags.has('i')) return true
  if (args.operands.length < 2) throw args.usage()
  const isZeroes = flags.has('z')
  if (isZeroes && args.operands.length !== 2) throw complain('-z supports only a single length parameter')
  if (flags.has('u') && !isZeroes) throw complain('-u requires -z to be specified')
  if (isZeroes) {
    const offset = numberOf(session, args.operand(0))
    beginZeroes(session, { offset, bytes: numberOf(session, args.operand(1)), flags })
    return true
  }
  const { offset, lengths } = vectorOf(session, args)
  const { whole, parts } = buffersOf(lengths, pattern ?? defaultPattern)
  const backend = backendOf(session)
  const write = (): Promise<void> => backend.write(offset, parts, { fua: flags.has('f') })
  session.outstanding.begin(write, whenWritten(session, { offset, bytes: whole.length, flags }))
  return true
}

interface AioWrite {
  readonly offset: number
  readonly bytes: number
  readonly flags: ReadonlySet<string>
}

function beginZeroes(session: Session, request: AioWrite): void {
  const { offset, bytes, flags } = request
  const backend = backendOf(session)
  const write = (): Promise<void> =>
    backend.writeZeroes(offset, bytes, { fua: flags.has('f'), mayUnmap: flags.has('u') })
  session.outstanding.begin(write, whenWritten(session, request))
}

function whenWritten(session: Session, { offset, bytes, flags }: AioWrite): (failure: BlockError | undefined) => void {
  const start = session.now()
  return (failure) => {
    if (failure !== undefined) session.out(`aio_write failed: ${failure.errnoText}\n`)
    else session.report({ verb: 'wrote', offset, bytes, seconds: session.now() - start }, reportMode(flags))
  }
}

/** Options are read one by one: `-i` ends the reading, as in the reference. */
function aioOptions(session: Session, args: Arguments, what: 'read' | 'write'): AioOptions {
  const flags = new Set<string>()
  let pattern: number | undefined
  for (const { letter, value } of args.options()) {
    flags.add(letter)
    if (letter === 'P') pattern = parsePattern(value)
    if (letter !== 'i') continue
    session.out(`injecting invalid ${what} request\n`)
    break
  }
  return { flags, pattern }
}
