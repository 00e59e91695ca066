/** In which form the user wants results, progress and errors; what the command line says about it, and the defaults. */

import type { OutputForm } from './args/common.ts'
import { progressForms } from './tables/own-options.ts'
import { Failure, usageFailure } from './failure.ts'

/** How progress is shown. */
export type ProgressForm = (typeof progressForms)[number]

/** How errors and warnings are printed. */
export type ErrorForm = 'text' | 'json'

/** The forms of one run; a command's options change them while they are read. */
export interface Presentation {
  /** `--output` of the commands that have none in the reference. */
  output: OutputForm
  /** `--progress`; absent: as `-p` says. */
  progress: ProgressForm | undefined
  readonly errors: ErrorForm
}

/** The form that `--progress` asks for. @throws Failure for another word */
export function parseProgressForm(text: string): ProgressForm {
  const form = progressForms.find((name) => name === text)
  if (form === undefined) throw new Failure(`--progress must be used with ${progressForms.join(', ')} as argument.`)
  return form
}

/** The form that `--errors` asks for. @throws Failure for another word */
export function parseErrorForm(text: string): ErrorForm {
  if (text === 'text' || text === 'json') return text
  throw usageFailure(`--errors must be text or json, not '${text}'`)
}

/**
 * The form of errors, found before anything is understood: what is wrong with the command line is an error, too.
 *
 * @param environment - `BLOCKLAYER_ERRORS`; a word that is neither form is refused when the option is read
 */
export function errorFormOf(args: readonly string[], environment: string | undefined): ErrorForm {
  let form = environment
  for (const [index, arg] of args.entries()) {
    if (arg === '--') break
    if (arg === '--errors') form = args[index + 1]
    else if (arg.startsWith('--errors=')) form = arg.slice('--errors='.length)
  }
  return form === 'json' ? 'json' : 'text'
}
