/** GNU `getopt_long` as the tools use it: mixed operands, clusters, abbreviations, and the word that errors quote. */

/** A long option. `name` is what is matched, `id` what the scanner reports: a short letter or the name itself. */
export interface LongOption {
  readonly name: string
  readonly takesArgument: boolean
  /** An argument may be attached (`--name=x`), and need not be there; the next word never is one. */
  readonly mayTakeArgument?: boolean
  readonly id: string
  /** Never matched by an abbreviation, so that our own options do not make the reference's ambiguous. */
  readonly exactOnly?: boolean
}

/** What a command understands. */
export interface OptionTable {
  /** Each letter with whether it takes an argument. */
  readonly short: ReadonlyMap<string, boolean>
  readonly long: readonly LongOption[]
}

/** How operands before options are treated. */
export interface ScanRules {
  /** Stop at the first operand (`POSIXLY_CORRECT`, or the top level of the tool). */
  readonly stopAtOperand?: boolean
}

/** An option that was found, or why none could be. */
export type ScanStep =
  | { readonly kind: 'option'; readonly id: string; readonly argument: string | undefined }
  | ScanError

/** Why no option could be read. */
export interface ScanError {
  readonly kind: 'unrecognized' | 'missing-argument'
  /** The argv element that the reference quotes. */
  readonly word: string
  /** The C library's own words, without the command's name before them. */
  readonly complaint: string
}

/**
 * Builds a table from the compact notation of the manual: `hf:r:` and `format:=f`, `output:`, `force-share=U`.
 *
 * @param short - letters, each followed by `:` if it takes an argument
 * @param long - names, followed by `:` if they take an argument, by `?` if one may be attached, by `!` if they cannot be abbreviated, and by `=letter` if
 *   they mean a short option
 */
export function optionTable(short: string, long: readonly string[]): OptionTable {
  const letters = new Map<string, boolean>()
  for (let i = 0; i < short.length; i++) {
    const letter = short.charAt(i)
    if (letter !== ':') letters.set(letter, short.charAt(i + 1) === ':')
  }
  return { short: letters, long: long.map(parseLong) }
}

function parseLong(text: string): LongOption {
  const [left = '', letter] = text.split('=')
  const [, name = '', marks = ''] = /^(.*?)([:!?]*)$/.exec(left) ?? []
  return {
    name,
    takesArgument: marks.includes(':'),
    mayTakeArgument: marks.includes('?'),
    id: letter ?? name,
    exactOnly: marks.includes('!'),
  }
}

/**
 * Walks over `argv[1…]`, moving operands behind the options as it goes: the order of the array at the moment of an
 * error decides which word the error quotes, so it has to be the same as in the C library.
 *
 * @see GNU C library manual, "Using Getopt" and "Getopt Long Options"
 */
export class GetoptLong {
  readonly #argv: string[]
  readonly #table: OptionTable
  readonly #stopAtOperand: boolean
  /** Next element to look at. */
  #index = 1
  /** Letters of a cluster that are still to be looked at. */
  #cluster = ''
  /** Operands that were skipped stand in `[#operandsStart, #operandsEnd)`. */
  #operandsStart = 1
  #operandsEnd = 1

  /** @param argv - the command word followed by its arguments; copied */
  constructor(argv: readonly string[], table: OptionTable, rules: ScanRules = {}) {
    this.#argv = [...argv]
    this.#table = table
    this.#stopAtOperand = rules.stopAtOperand === true
  }

  /** Next option or error; `undefined` at the end of the options. */
  next(): ScanStep | undefined {
    if (this.#cluster === '' && !this.#advance()) return undefined
    if (this.#cluster !== '') return this.#shortOption()
    const word = this.#argv[this.#index] ?? ''
    this.#index++
    if (word.startsWith('--')) return this.#longOption(word.slice(2))
    this.#cluster = word.slice(1)
    // The index stays on the word until its last letter is taken: an error in the middle quotes the word before.
    this.#index--
    return this.#shortOption()
  }

  /** What is left once `next` gave `undefined`. */
  get operands(): readonly string[] {
    return this.#argv.slice(this.#index)
  }

  /** Moves to the next element that is an option; false at the end. */
  #advance(): boolean {
    this.#rotate()
    if (!this.#stopAtOperand) {
      while (this.#index < this.#argv.length && !isOption(this.#argv[this.#index])) this.#index++
    }
    this.#operandsEnd = this.#index
    if (this.#argv[this.#index] === '--') {
      this.#index++
      this.#rotate()
      this.#index = this.#operandsStart
      return false
    }
    if (this.#index < this.#argv.length && isOption(this.#argv[this.#index])) return true
    this.#index = this.#operandsStart
    return false
  }

  /** Puts the operands that were skipped behind the options that were read since. */
  #rotate(): void {
    const operands = this.#argv.slice(this.#operandsStart, this.#operandsEnd)
    const options = this.#argv.slice(this.#operandsEnd, this.#index)
    this.#argv.splice(this.#operandsStart, operands.length + options.length, ...options, ...operands)
    this.#operandsStart += options.length
    this.#operandsEnd = this.#index
  }

  #shortOption(): ScanStep {
    const letter = this.#cluster.charAt(0)
    this.#cluster = this.#cluster.slice(1)
    if (this.#cluster === '') this.#index++
    const takesArgument = this.#table.short.get(letter)
    if (takesArgument === undefined) return this.#error('unrecognized', `invalid option -- '${letter}'`)
    if (!takesArgument) return { kind: 'option', id: letter, argument: undefined }
    if (this.#cluster !== '') {
      const argument = this.#cluster
      this.#cluster = ''
      this.#index++
      return { kind: 'option', id: letter, argument }
    }
    return this.#withNextWord(letter, `option requires an argument -- '${letter}'`)
  }

  #longOption(text: string): ScanStep {
    const equals = text.indexOf('=')
    const name = equals < 0 ? text : text.slice(0, equals)
    const candidates = findLong(this.#table.long, name)
    const [option] = candidates
    if (option === undefined) return this.#error('unrecognized', `unrecognized option '--${text}'`)
    if (candidates.length > 1) {
      const names = candidates.map((candidate) => ` '--${candidate.name}'`).join('')
      return this.#error('unrecognized', `option '--${text}' is ambiguous; possibilities:${names}`)
    }
    if (equals >= 0) {
      if (!option.takesArgument && option.mayTakeArgument !== true) {
        return this.#error('unrecognized', `option '--${option.name}' doesn't allow an argument`)
      }
      return { kind: 'option', id: option.id, argument: text.slice(equals + 1) }
    }
    if (!option.takesArgument) return { kind: 'option', id: option.id, argument: undefined }
    return this.#withNextWord(option.id, `option '--${option.name}' requires an argument`)
  }

  #withNextWord(id: string, complaint: string): ScanStep {
    const argument = this.#argv[this.#index]
    if (argument === undefined) return this.#error('missing-argument', complaint)
    this.#index++
    return { kind: 'option', id, argument }
  }

  #error(kind: ScanError['kind'], complaint: string): ScanError {
    return { kind, word: this.#argv[this.#index - 1] ?? '', complaint }
  }
}

/** A lone `-` is an operand (standard input, by tradition). */
function isOption(word: string | undefined): boolean {
  return word !== undefined && word.length > 1 && word.startsWith('-')
}

/** The options `name` may mean: an exact match alone, or all that it abbreviates. */
function findLong(options: readonly LongOption[], name: string): readonly LongOption[] {
  const exact = options.find((option) => option.name === name)
  if (exact !== undefined) return [exact]
  return options.filter((option) => option.exactOnly !== true && option.name.startsWith(name))
}
