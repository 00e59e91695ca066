/** Runs a table of command lines by both tools. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CaseOptions, compareRuns, makeTwins, removeTwins, type Twins } from '../support/twins.ts'
import { hasReference, needsReference } from '../support/tools.ts'
import { images } from './images.ts'

/** A command line, alone or with what has to be done before it. */
export type Case = string | readonly [line: string, options: CaseOptions]

/**
 * One test per command line: output, messages, exit status and every file afterwards are those of the reference.
 *
 * @param mask - applied to both tools' output
 */
export function runTable(name: string, cases: readonly Case[], mask?: (text: string) => string): void {
  describe.skipIf(!hasReference)(needsReference(name), () => {
    let twins: Twins
    beforeAll(() => {
      twins = makeTwins('contract', images)
    })
    afterAll(() => removeTwins(twins))

    test.each(cases.map((entry) => (typeof entry === 'string' ? ([entry, {}] as const) : entry)))(
      '%s',
      async (line, options) => {
        const comparison = await compareRuns(twins, words(line), { mask, ...options })
        expect(comparison.ours).toBe(comparison.reference)
      },
    )
  })
}

/** Splits a line as a shell would: at blanks, except between quotes. */
export function words(line: string): string[] {
  return [...line.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ''))
}

/** Space on the host is the file system's affair. */
export function maskDiskSize(text: string): string {
  return text.replace(/^disk size: .*$/gm, 'disk size: SIZE').replace(/"actual-size": \d+/g, '"actual-size": SIZE')
}

/** How often progress is printed between its ends depends on timing. */
export function maskProgress(text: string): string {
  return text.replace(/( {4}\(\d+\.\d\d\/100%\)\r)+/g, 'PROGRESS')
}
