/** Runs a table of command lines by both programs. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { maskTiming, sortLines } from './mask.ts'
import { hasReference, needsReference, runHere, runProcess } from './tools.ts'
import { describeOutcomes, makeTwins, removeTwins, resetTwins, type Twins } from './twins.ts'

/** How a case differs from the others. */
export interface CaseOptions {
  /** Lines on standard input. */
  readonly input?: string
  /** Requests end in any order. */
  readonly sorted?: boolean
  /** Applied to both outputs besides. */
  readonly mask?: (text: string) => string
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
        resetTwins(twins)
        const args = argumentsOf(line)
        const reference = runProcess(['qemu-io', ...args], twins.reference, options.input)
        const ours = await runHere(args, twins.ours, options.input)
        const mask = (text: string): string => {
          const masked = maskTiming(options.mask?.(text) ?? text)
          return options.sorted === true ? sortLines(masked) : masked
        }
        const described = describeOutcomes(twins, { ours, reference }, mask)
        expect(described.ours).toBe(described.reference)
      },
    )
  })
}

/** Options and the file at blanks, each command whole. */
export function argumentsOf(line: string): string[] {
  const [options = '', ...commands] = line.split('|')
  const words = options.split(' ').filter((word) => word !== '')
  // One blank on either side of the bar belongs to the notation; more of them belong to the command.
  return [...commands.flatMap((command) => ['-c', command.replace(/^ | $/g, '')]), ...words]
}
