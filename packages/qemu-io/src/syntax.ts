/** How a command is written: what its words are checked against, and what help, manuals and completion are made of. */

/** An option of a command. */
export interface CommandOption {
  readonly letter: string
  /** What its value is called; absent: it takes none. */
  readonly value?: string
  /** Words that the value may be, for completion. */
  readonly choices?: readonly string[]
  readonly text: string
}

/** A command without what it does. */
export interface CommandSyntax {
  readonly name: string
  readonly alias?: string
  /** Stands behind the name in its usage line; absent: not even the blank before it. */
  readonly synopsis?: string
  readonly summary: string
  /** More for its own help and the manual. */
  readonly details?: string
  readonly options?: readonly CommandOption[]
  /** Words behind the name, options included. */
  readonly wordsMin: number
  /** Absent: any number. */
  readonly wordsMax?: number
}

/** `read [-abCqv] … off len -- reads …`, by the command's name or the word that was typed for it. */
export function usageLine({ name, synopsis, summary }: CommandSyntax, typed: string = name): string {
  return `${typed}${synopsis === undefined ? '' : ` ${synopsis}`} -- ${summary}\n`
}
