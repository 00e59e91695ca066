/** Runs a table of command lines by both programs. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { maskTiming, sortLines } from './mask.ts'
import { hasReference, needsReference, runHere, runProcess, shell } from './tools.ts'
import { describeOutcomes, makeTwins, removeTwins, resetTwins, type Twins } from './twins.ts'

/** How a case differs from the others. */
export interface CaseOptions {
  /** Lines on standard input. */
  readonly input?: string
  /** Requests end in any order. */
  readonly sorted?: boolean
  /** Applied to both outputs besides. */
  readonly mask?: (text: string) => string
  /** Shell lines run in both folders before, by the reference's tools. */
  readonly prepare?: string
  /** Shell lines run in both folders afterwards; what they print belongs to the outcome. */
  readonly show?: string
}

/** Arguments in one line, with commands behind `|`: `-f raw r | read 0 512 | length`. */
export type Case = string | readonly [line: string, options: CaseOptions]

/**
 * One test per line: output, messages, exit status and every file afterwards are those of the reference.
 */
export function runTable(name: string, cases: readonly Case[]): void {
  describe.skipIf(!hasReference)(needsReference(name), () => {
    let twins: Twins
    beforeAll(() => {
      twins = makeTwins()
    })
    afterAll(() => removeTwins(twins))

    test.each(cases.map((entry) => (typeof entry === 'string' ? ([entry, {}] as const) : entry)))(
      '%s',
      async (line, options) => {
        const described = await runBoth(twins, line, options)
        expect(described.ours).toBe(described.reference)
      },
    )
  })
}

/** Runs one line by both programs, in folders as they were at the beginning. @returns what each did, as text */
export async function runBoth(
  twins: Twins,
  line: string,
  options: CaseOptions,
): Promise<{ readonly ours: string; readonly reference: string }> {
  resetTwins(twins)
  const { prepare, show, input } = options
  if (prepare !== undefined) for (const folder of [twins.ours, twins.reference]) shell(prepare, folder)
  const args = argumentsOf(line)
  const reference = runProcess(['qemu-io', ...args], twins.reference, input)
  const ours = await runHere(args, twins.ours, input)
  const mask = (text: string): string => {
    const masked = maskTiming(options.mask?.(text) ?? text)
    return options.sorted === true ? sortLines(masked) : masked
  }
  const described = describeOutcomes(twins, { ours, reference }, mask)
  if (show === undefined) return described
  return {
    ours: described.ours + shell(show, twins.ours),
    reference: described.reference + shell(show, twins.reference),
  }
}

/** Options and the file at blanks, each command whole. */
export function argumentsOf(line: string): string[] {
  const [options = '', ...commands] = line.split('|')
  const words = options.split(' ').filter((word) => word !== '')
  // One blank on either side of the bar belongs to the notation; more of them belong to the command.
  return [...commands.flatMap((command) => ['-c', command.replace(/^ | $/g, '')]), ...words]
}
