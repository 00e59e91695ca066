/** The commands of the stand-in for qemu-io: read, write, discard, close. */

import { type BlockBackend, BlockError, isZero } from '@blocklayer/block-core'
import {
  CommandError,
  parseLength,
  parseNumber,
  parsePattern,
  parseWords,
  type Syntax,
  splitCommand,
  type Words,
} from './command-words.ts'
import type { Output } from './output.ts'
import { type RequestReport, requestText } from './report-lines.ts'

/** The open image and where to print. */
export interface Session extends Output {
  /** `undefined` once it was closed. */
  image: BlockBackend | undefined
  /** How many errors the drivers have reported by themselves. */
  reportedErrors(): number
}

interface Command extends Syntax {
  readonly alias: string
  readonly writes: boolean
  /** @returns false if the command has failed and said so */
  run(session: Session, image: BlockBackend, words: Words): Promise<boolean>
}

const commands: readonly Command[] = [
  {
    name: 'read',
    alias: 'r',
    options: 'P:q',
    usage: 'read [-abCqv] [-P pattern [-s off] [-l len]] off len -- reads a number of bytes at a specified offset',
    wordsMin: 2,
    writes: false,
    run: runRead,
  },
  {
    name: 'write',
    alias: 'w',
    options: 'P:quz',
    usage: 'write [-bcCfnquz] [-P pattern | -s source_file] off len -- writes a number of bytes at a specified offset',
    wordsMin: 2,
    writes: true,
    run: runWrite,
  },
  {
    name: 'discard',
    alias: 'd',
    options: 'q',
    usage: 'discard [-Cq] off len -- discards a number of bytes at a specified offset',
    wordsMin: 2,
    writes: true,
    run: runDiscard,
  },
  {
    name: 'close',
    alias: 'c',
    options: '',
    usage: 'close -- close the current open file',
    wordsMin: 0,
    wordsMax: 0,
    writes: false,
    run: runClose,
  },
]

/** Runs one command line; whatever goes wrong has been printed by then. @returns whether it succeeded */
export async function runCommand(session: Session, line: string): Promise<boolean> {
  const [name, ...words] = splitCommand(line)
  if (name === undefined) return true
  try {
    return await runNamed(session, name, words)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    session.err(error.stderr)
    session.out(error.stdout)
    return false
  }
}

async function runNamed(session: Session, name: string, words: readonly string[]): Promise<boolean> {
  const command = commands.find((candidate) => candidate.name === name || candidate.alias === name)
  if (command === undefined) throw new CommandError({ stderr: `command "${name}" not found\n` })
  const { image } = session
  if (image === undefined) throw new CommandError({ stderr: "no file open, try 'help open'\n" })
  const parsed = parseWords(command, words)
  if (command.writes && image.root.readOnly) throw new CommandError({ stderr: 'qemu-io: Block node is read-only\n' })
  return await command.run(session, image, parsed)
}

/** The two operands that all requests have; a request with another number of them gets the usage line. */
function range({ operands }: Words, name: string): { readonly offset: number; readonly bytes: number } {
  const [offset, bytes] = operands
  if (offset === undefined || bytes === undefined || operands.length !== 2) {
    const usage = commands.find((command) => command.name === name)?.usage ?? name
    throw new CommandError({ stdout: `${usage}\n` })
  }
  return { offset: parseNumber(offset), bytes: parseLength(bytes, name === 'write' ? ' without -n' : '') }
}

async function runRead(session: Session, image: BlockBackend, words: Words): Promise<boolean> {
  const text = words.options.get('P')
  const pattern = text === undefined ? undefined : parsePattern(text)
  const { offset, bytes } = range(words, 'read')
  const into = new Uint8Array(bytes)
  const done = await timed(session, 'read', () => image.read(offset, into))
  if (done === undefined) return false
  const matches = pattern === undefined || isFilledWith(into, pattern)
  if (!matches) session.out(`Pattern verification failed at offset ${offset}, ${bytes} bytes\n`)
  report(session, words, { verb: 'read', offset, bytes, seconds: done })
  return matches
}

async function runWrite(session: Session, image: BlockBackend, words: Words): Promise<boolean> {
  const { options } = words
  const zero = options.has('z')
  if (options.has('u') && !zero) throw new CommandError({ stdout: '-u requires -z to be specified\n' })
  if (zero && options.has('P')) {
    throw new CommandError({ stdout: 'Only one of -z, -P, and -s can be specified at the same time\n' })
  }
  const pattern = parsePattern(options.get('P') ?? '0xcd')
  const { offset, bytes } = range(words, 'write')
  const done = await timed(session, 'write', () =>
    zero
      ? image.writeZeroes(offset, bytes, { mayUnmap: options.has('u') })
      : image.write(offset, new Uint8Array(bytes).fill(pattern)),
  )
  if (done === undefined) return false
  report(session, words, { verb: 'wrote', offset, bytes, seconds: done })
  return true
}

async function runDiscard(session: Session, image: BlockBackend, words: Words): Promise<boolean> {
  const { offset, bytes } = range(words, 'discard')
  const done = await timed(session, 'discard', () => image.discard(offset, bytes))
  if (done === undefined) return false
  report(session, words, { verb: 'discard', offset, bytes, seconds: done })
  return true
}

async function runClose(session: Session): Promise<boolean> {
  await closeImage(session)
  return true
}

/**
 * Closes the image if one is open. What fails then changes no exit status, as in the reference, but it is said: by the
 * driver, which knows best, or else here.
 */
export async function closeImage(session: Session): Promise<void> {
  const { image } = session
  session.image = undefined
  const before = session.reportedErrors()
  try {
    await image?.close()
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    if (session.reportedErrors() === before) session.err(`qemu-io: ${error.message}\n`)
  }
}

/** Seconds that `request` took; `undefined` if it failed, which has been printed. */
async function timed(session: Session, name: string, request: () => Promise<void>): Promise<number | undefined> {
  const start = performance.now()
  try {
    await request()
    return (performance.now() - start) / 1000
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    session.out(`${name} failed: ${error.errnoText}\n`)
    return undefined
  }
}

function report(session: Session, { options }: Words, request: RequestReport): void {
  if (!options.has('q')) session.out(requestText(request))
}

function isFilledWith(data: Uint8Array, pattern: number): boolean {
  return pattern === 0 ? isZero(data) : data.every((byte) => byte === pattern)
}
