/** What a check says of an image. */

/** The verdict of one run of `check`. */
export interface Verdict {
  /** Exit status of the tool. */
  readonly code: number
  /** Counts of the report under the names of the JSON output, zeroes left out; empty where there is no report. */
  readonly counts: Readonly<Record<string, number>>
  /** What was told beside the report. */
  readonly lines: readonly string[]
}
