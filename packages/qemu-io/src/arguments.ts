/** The words of one command line: options in the manner of C's `getopt`, and operands. */

import { CommandFailure } from './failure.ts'
import { type CommandSyntax, usageLine } from './syntax.ts'

/** An option as it was given. */
export interface GivenOption {
  readonly letter: string
  /** Empty for one that takes none. */
  readonly value: string
}

/** Splits a line at blanks only: there is no quoting, and a tab is a letter like any other. */
export function splitLine(line: string): string[] {
  return line.split(' ').filter((word) => word !== '')
}

/** The words behind a command's name. Options and operands may be mixed; `--` ends the options. */
export class Arguments {
  readonly #command: CommandSyntax
  readonly #typed: string
  readonly #words: readonly string[]
  readonly #operands: string[] = []

  /**
   * @param typed - the word that named the command
   * @throws CommandFailure for a number of words that the command cannot have
   */
  constructor(command: CommandSyntax, typed: string, words: readonly string[]) {
    this.#command = command
    this.#typed = typed
    this.#words = words
    const { wordsMin: min, wordsMax: max } = command
    if (words.length >= min && words.length <= (max ?? words.length)) return
    const wanted = max === undefined ? `at least ${min}` : min === max ? `${min}` : `between ${min} and ${max}`
    throw new CommandFailure({
      err: `bad argument count ${words.length} to ${typed}, expected ${wanted} arguments\n`,
    })
  }

  /** What was typed, options included. */
  get words(): readonly string[] {
    return this.#words
  }

  /** What is no option; complete once all options were taken. */
  get operands(): readonly string[] {
    return this.#operands
  }

  /** Operand `index`. @throws CommandFailure, the usage, where there is none */
  operand(index: number): string {
    const word = this.#operands[index]
    if (word === undefined) throw this.usage()
    return word
  }

  /** The usage line, for a wrong number of operands. */
  usage(): CommandFailure {
    return new CommandFailure({ out: usageLine(this.#command) })
  }

  /**
   * Options in the order in which they stand, one at a time: what one does wrong is told before what stands behind it is
   * looked at.
   *
   * @throws CommandFailure for an option that the command has not, or one without its value
   */
  *options(): Generator<GivenOption, void> {
    const words = this.#words
    for (let i = 0; i < words.length; i++) {
      const word = words[i] ?? ''
      if (word === '--') {
        this.#operands.push(...words.slice(i + 1))
        return
      }
      if (!word.startsWith('-') || word === '-') this.#operands.push(word)
      else if (yield* this.#cluster(word.slice(1), words[i + 1])) i++
    }
  }

  /** The options without a value that were given; for commands that have no others. */
  flags(): ReadonlySet<string> {
    return new Set(Array.from(this.options(), ({ letter }) => letter))
  }

  /** Reads `qP` of `-qP 1`. @returns whether the next word was taken as a value */
  *#cluster(cluster: string, next: string | undefined): Generator<GivenOption, boolean> {
    for (let i = 0; i < cluster.length; i++) {
      const letter = cluster.charAt(i)
      const option = this.#command.options?.find((candidate) => candidate.letter === letter)
      if (option === undefined) throw this.#optionFailure(`invalid option -- '${letter}'`)
      if (option.value === undefined) {
        yield { letter, value: '' }
        continue
      }
      const glued = cluster.slice(i + 1)
      const value = glued === '' ? next : glued
      if (value === undefined) throw this.#optionFailure(`option requires an argument -- '${letter}'`)
      yield { letter, value }
      return glued === ''
    }
    return false
  }

  #optionFailure(text: string): CommandFailure {
    return new CommandFailure({ err: `${this.#typed}: ${text}\n`, out: usageLine(this.#command) })
  }
}
