/** How a command ends early: with lines on either output. The command then has failed. */

import type { BlockError } from '@blocklayer/block-core'

/** Text for the two outputs, whole lines without the program's name unless it is given. */
export interface FailureText {
  readonly out?: string
  readonly err?: string
  /** A message that the program's name is put before. */
  readonly told?: string
}

/** Ends the command. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly text: FailureText

  constructor(text: FailureText, options: { readonly cause?: unknown } = {}) {
    super((text.told ?? text.err ?? text.out ?? '').trimEnd(), options)
    this.text = text
  }
}

/** What went wrong, in the words of the graph, behind the program's name and `prefix`. */
export function toldBy(error: BlockError, prefix = ''): CommandFailure {
  const hint = error.hint === undefined ? {} : { err: `${error.hint}\n` }
  return new CommandFailure({ told: prefix + error.message, ...hint }, { cause: error })
}

/** One line on `out`. */
export function complain(line: string): CommandFailure {
  return new CommandFailure({ out: `${line}\n` })
}
