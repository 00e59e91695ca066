/** Argument rules that several commands share. */

import { Failure, usageFailure } from '../failure.ts'
import { type CacheMode, cacheMode } from './cache-mode.ts'

/** How a report is printed. */
export type OutputForm = 'human' | 'json'

/**
 * The only operand.
 *
 * @throws Failure `Expecting one image file name`
 */
export function singleOperand(operands: readonly string[]): string {
  const [operand] = operands
  if (operand === undefined || operands.length !== 1) throw usageFailure('Expecting one image file name')
  return operand
}

/**
 * The form that `--output` asks for; `human` where it is absent.
 *
 * @throws Failure for another word
 */
export function outputForm(text: string | undefined): OutputForm {
  if (text === undefined || text === 'human') return 'human'
  if (text === 'json') return 'json'
  throw new Failure('--output must be used with human or json as argument.')
}

/** A report that a person looks at. */
export type PictureForm = 'svg' | 'html'

/**
 * The form that `--output` asks for, of a command that draws, too.
 *
 * @throws Failure for another word
 */
export function drawnOutputForm<Drawn extends PictureForm>(
  text: string | undefined,
  drawn: readonly Drawn[],
): OutputForm | Drawn {
  return drawn.find((form) => form === text) ?? outputForm(text)
}

/** @throws Failure where both `--image-opts` and a format are given */
export function refuseFormatWithOptions(imageOpts: boolean, format: string | undefined, exitCode = 1): void {
  if (imageOpts && format !== undefined) {
    throw new Failure('--image-opts and --format are mutually exclusive', { exitCode })
  }
}

/**
 * The cache mode called `name`.
 *
 * @param role - empty, or `source ` for `-T`
 * @throws Failure `Invalid [source ]cache option: <name>`
 */
export function requireCacheMode(name: string, role: '' | 'source ', exitCode = 1): CacheMode {
  const mode = cacheMode(name)
  if (mode === undefined) throw new Failure(`Invalid ${role}cache option: ${name}`, { exitCode })
  return mode
}
