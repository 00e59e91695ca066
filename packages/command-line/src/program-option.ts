/** The table of a program's options, from which all else is made. */

import { type OptionTable, optionTable } from './getopt-long.ts'

/** One option of a program; it has a letter, a long name, or both. */
export interface ProgramOption {
  /** Without the two dashes. */
  readonly long?: string
  readonly letter?: string
  /** What its value is called; absent: it takes none. */
  readonly value?: string
  /** What it takes behind `=` only, and only behind its long name; for an option without `value`. */
  readonly attached?: string
  /** All words that the value may be. */
  readonly choices?: readonly string[]
  /** What the value is where it is none of a few words; files by default. */
  readonly completes?: 'format' | 'file'
  /** One of our own: never matched by an abbreviation, so that it makes none of the reference's ambiguous. */
  readonly exactOnly?: boolean
  /** What it does, a half sentence. */
  readonly text: string
}

/** The table that `GetoptLong` scans by; an option is reported by its letter, or else by its name. */
export function tableOf(options: readonly ProgramOption[]): OptionTable {
  const short = options.map(({ letter, value }) => (letter === undefined ? '' : letter + (value ? ':' : '')))
  const long = options.flatMap(({ long, letter, value, attached, exactOnly }) => {
    if (long === undefined) return []
    const marks = (value ? ':' : '') + (attached ? '?' : '') + (exactOnly ? '!' : '')
    return [long + marks + (letter === undefined ? '' : `=${letter}`)]
  })
  return optionTable(short.join(''), long)
}

/** `-f, --format FMT`: how an option is written, with what it takes. */
export function optionHead({ value, attached, ...option }: ProgramOption): string {
  const taken = attached === undefined ? '' : `[=${attached}]`
  return `${spellings(option).join(', ')}${value === undefined ? taken : ` ${value}`}`
}

/** `-f` and `--format`: the words that an option may be written as. */
export function spellings({ long, letter }: Pick<ProgramOption, 'long' | 'letter'>): string[] {
  return [...(letter === undefined ? [] : [`-${letter}`]), ...(long === undefined ? [] : [`--${long}`])]
}

/** The lines of `--help` about options: what it is, and behind it what it does. */
export function optionHelp(options: readonly ProgramOption[], width = 23): string {
  return options
    .map((option) => {
      const head = `  ${optionHead(option)}`
      const gap = head.length < width ? ' '.repeat(width - head.length) : `\n${' '.repeat(width)}`
      return `${head}${gap}${option.text}\n`
    })
    .join('')
}
