/** The verdict on an image of a stranger: its form, and the limits that it is judged by. */

/** Why an image may be refused; stable words for programs. */
export const reasonCodes = [
  // It names another file, which opening it would open.
  'backing-file',
  'data-file',
  'extent',
  // Two programs could take it for two different things.
  'ambiguous-format',
  // Nobody here can judge images of its format.
  'unsupported-format',
  // Its header or its tables make no sense.
  'invalid',
  'unknown-feature',
  'encrypted',
  'virtual-size',
  'snapshots',
  // Opening or judging it would take more memory than allowed.
  'memory',
  // A table, or data, lies outside the file.
  'outside-file',
  // Two structures, or a structure and data, lie in one place.
  'overlap',
  // It marks itself as damaged.
  'corrupt',
  // What is compressed in it grows beyond measure.
  'expansion',
  'timeout',
] as const

/** Why an image is refused. */
export type ReasonCode = (typeof reasonCodes)[number]

/** One reason. */
export interface Reason {
  readonly code: ReasonCode
  /** For people; what it quotes from the image is `printable`. */
  readonly message: string
}

/** What is allowed. */
export interface InspectLimits {
  /** Bytes. */
  readonly maxVirtualSize: number
  /** Bytes that judging, and opening, may take beyond what the process takes anyway. */
  readonly maxMemory: number
  /** How many times larger compressed data may be when it is expanded. */
  readonly maxExpansion: number
  readonly maxSnapshots: number
  /** Seconds. */
  readonly timeout: number
}

/** 16 TiB, 256 MiB, 100 times, 256 snapshots, 60 seconds. */
export const inspectLimitsDefault: InspectLimits = {
  maxVirtualSize: 16 * 2 ** 40,
  maxMemory: 256 * 2 ** 20,
  maxExpansion: 100,
  maxSnapshots: 256,
  timeout: 60,
}

/** What came out. */
export interface Verdict {
  /** `refused` where there is any reason. */
  readonly verdict: 'acceptable' | 'refused'
  /** The format that was judged: open the image as this and as nothing else. `undefined` where it is uncertain. */
  readonly format: string | undefined
  /** Bytes, as claimed; `undefined` where nothing could be read. */
  readonly virtualSize: bigint | undefined
  /** Bytes of the file. */
  readonly fileSize: number
  readonly reasons: readonly Reason[]
}
