/** The one list of what is not run, each entry with its reason. What is not here runs. */

/** A test, or all tests, that a format or tools keep from running. */
export interface Skip {
  /** Number of the test. */
  readonly test: string
  /** What is skipped. */
  applies(setting: { readonly format: string; readonly tools: string }): boolean
  /** Shown in the report. */
  readonly reason: string
}

/** Why tests are skipped. */
export const skips: readonly Skip[] = [
  {
    test: '097',
    applies: ({ format, tools }) => format === 'qcow' && tools === 'ours',
    reason: 'our tools do not speak qcow yet',
  },
  {
    test: '097',
    applies: ({ format }) => format !== 'qcow' && format !== 'qcow2',
    reason: 'needs a format with backing files that can be emptied: qcow or qcow2',
  },
  {
    test: '098',
    applies: ({ format }) => format !== 'qcow2',
    reason: 'is about the way qcow2 is emptied; other formats have none of its steps',
  },
]

/** Why this test is not run; `undefined` if it is. */
export function skipReason(
  test: string,
  setting: { readonly format: string; readonly tools: string },
): string | undefined {
  return skips.find((skip) => skip.test === test && skip.applies(setting))?.reason
}
