/** Takes one command line of qemu-io apart. */

import { parseSize } from '@blocklayer/block-core'

/** A command that cannot be run. Its lines are printed without the program's name; the command then has failed. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly stdout: string
  readonly stderr: string

  constructor(text: { readonly stdout?: string; readonly stderr?: string }) {
    super(`${text.stderr ?? ''}${text.stdout ?? ''}`)
    this.stdout = text.stdout ?? ''
    this.stderr = text.stderr ?? ''
  }
}

/** What a command takes. */
export interface Syntax {
  readonly name: string
  /** Letters of its options, each followed by `:` if it takes a value. */
  readonly options: string
  /** Printed for a wrong option or number of operands. */
  readonly usage: string
  readonly wordsMin: number
  /** Absent: any number. */
  readonly wordsMax?: number
}

/** A command's options and operands. */
export interface Words {
  /** Value of each option that was given; the empty string for one that takes none. */
  readonly options: ReadonlyMap<string, string>
  readonly operands: readonly string[]
}

/** The longest request, and so the largest buffer. */
export const bytesMax = 2147483136

/** Splits at blanks only: there is no quoting. */
export function splitCommand(line: string): string[] {
  return line.split(' ').filter((word) => word !== '')
}

/** @param words - behind the command's name. @throws CommandError with the reference's lines */
export function parseWords(syntax: Syntax, words: readonly string[]): Words {
  checkCount(syntax, words.length)
  const options = new Map<string, string>()
  const operands: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (word === '--') {
      operands.push(...words.slice(i + 1))
      break
    }
    if (word.startsWith('-') && word !== '-') i += takeCluster(syntax, options, word.slice(1), words[i + 1])
    else operands.push(word)
  }
  return { options, operands }
}

/** A byte count or offset. @throws CommandError */
export function parseNumber(word: string): number {
  const size = parseSize(word)
  if (size.kind === 'malformed') {
    const text = 'Parsing error: non-numeric argument, or extraneous/unrecognized suffix'
    throw new CommandError({ stdout: `${text} -- ${word}\n` })
  }
  if (size.kind === 'range' || size.value >= 1n << 63n) {
    throw new CommandError({ stdout: `Parsing error: argument too large -- ${word}\n` })
  }
  return Number(size.value)
}

/**
 * A length in bytes that fits into a buffer.
 *
 * @param exception - how the reference's command goes on about its limit, ` without -n`
 * @throws CommandError
 */
export function parseLength(word: string, exception = ''): number {
  const bytes = parseNumber(word)
  const text = `length cannot exceed ${bytesMax}${exception}, given ${word}`
  if (bytes > bytesMax) throw new CommandError({ stdout: `${text}\n` })
  return bytes
}

/** A byte: decimal, `0x` and hexadecimal, or `0` and octal. @throws CommandError */
export function parsePattern(word: string): number {
  const octal = /^0[0-7]+$/.test(word)
  const value = octal ? Number.parseInt(word, 8) : /^(0x[0-9a-f]+|[0-9]+)$/i.test(word) ? Number(word) : Number.NaN
  if (!(value >= 0 && value <= 255)) throw new CommandError({ stdout: `${word} is not a valid pattern byte\n` })
  return value
}

function checkCount({ name, wordsMin, wordsMax }: Syntax, count: number): void {
  const wanted = wordsMax === undefined ? `at least ${wordsMin}` : `${wordsMin}`
  if (count >= wordsMin && count <= (wordsMax ?? count)) return
  throw new CommandError({ stderr: `bad argument count ${count} to ${name}, expected ${wanted} arguments\n` })
}

/** Reads `qP` of `-qP 1`. @returns how many further words were taken as a value: 0 or 1 */
function takeCluster(syntax: Syntax, options: Map<string, string>, cluster: string, next: string | undefined): 0 | 1 {
  for (let i = 0; i < cluster.length; i++) {
    const letter = cluster.charAt(i)
    const at = letter === ':' ? -1 : syntax.options.indexOf(letter)
    if (at < 0) throw optionError(syntax, `invalid option -- '${letter}'`)
    if (syntax.options.charAt(at + 1) !== ':') {
      options.set(letter, '')
      continue
    }
    const glued = cluster.slice(i + 1)
    const value = glued === '' ? next : glued
    if (value === undefined) throw optionError(syntax, `option requires an argument -- '${letter}'`)
    options.set(letter, value)
    return glued === '' ? 1 : 0
  }
  return 0
}

function optionError({ name, usage }: Syntax, text: string): CommandError {
  return new CommandError({ stderr: `${name}: ${text}\n`, stdout: `${usage}\n` })
}
