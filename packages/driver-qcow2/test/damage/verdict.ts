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

/** What the four checks by ours took. */
export interface Cost {
  /** Of a processor: what else runs on the machine is not counted. */
  readonly milliseconds: number
  /** How far the process grew meanwhile, in MiB. */
  readonly memory: number
}

/** What everybody says of one image. */
export interface Verdicts {
  /** Checked, and checked with `-r all`; `again`: checked after that. */
  readonly ours: { readonly plain: Verdict; readonly repair: Verdict; readonly again: Verdict }
  readonly theirs: { readonly plain: Verdict; readonly repair: Verdict; readonly again: Verdict }
  /** The other one's repaired image. */
  readonly oursOfTheirs: Verdict
  readonly theirsOfOurs: Verdict
  readonly cost: Cost
}
