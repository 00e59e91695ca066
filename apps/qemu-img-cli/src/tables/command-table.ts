/** What a subcommand's table says: all that scanning, `--help`, the manual and completion need to know. */

import type { ProgramOption } from '@blocklayer/command-line'

/** An option of a subcommand. */
export interface CommandOption extends ProgramOption {
  /** Taken only where that release is spoken. */
  readonly since?: '10'
  /** Its long name where release 10 is spoken, which has one for every option since 10.1; the same in 7.2: `long`. */
  readonly long10?: string
  /** It is another name for the option of that letter or name. */
  readonly means?: string
}

/** One subcommand. */
export interface CommandTable {
  readonly name: string
  /** What it does, a half sentence. */
  readonly summary: string
  /** What may follow the name, as `--help` writes it. */
  readonly usage: string
  /** The reference's options beside `--help` and `--object`, in its order. */
  readonly options: readonly CommandOption[]
  /** Beginnings of operands, for completion; none: they are files. */
  readonly words?: readonly string[]
  /** Who defined `--output`: the reference, or we, as JSON about what was done. */
  readonly output: 'reference' | 'ours'
  /** Reads images that may be strangers': takes `--untrusted`. */
  readonly untrusted?: boolean
  /** Exit status after a bad `--object`; 1 by default. */
  readonly objectExitCode?: number
  /** The command takes no `--object`: `bench`. */
  readonly withoutObjects?: boolean
  /** An unknown option is told in the C library's words, followed by the help, and is no failure: `measure` does so. */
  readonly helpOnError?: boolean
}
