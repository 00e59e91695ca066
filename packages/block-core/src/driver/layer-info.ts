/** What a format says about itself. */

/** Format facts for `info`. */
export interface LayerInfo {
  readonly clusterSize?: number
  /** `true`: not cleanly shut down. Absent: the format does not know. */
  readonly dirty?: boolean
  readonly encrypted?: boolean
  /** Where machine state begins, in guest bytes; absent or 0 where the format keeps none. */
  readonly vmStateOffset?: number
  /** Internal snapshots, in the order of the image's own list. */
  readonly snapshots?: readonly SnapshotFacts[]
  /** Format specific information: `type` and the driver's own fields, printed in hash order. */
  readonly specific?: { readonly type: string; readonly data: Readonly<Record<string, InfoValue>> }
}

/** One internal snapshot. */
export interface SnapshotFacts {
  readonly id: string
  readonly name: string
  /** Bytes of saved machine state. */
  readonly vmStateBytes: number
  /** When it was made: seconds since 1970, and nanoseconds. */
  readonly dateSeconds: number
  readonly dateNanoseconds: number
  /** Guest clock, in nanoseconds since the machine was started. */
  readonly vmClockNanoseconds: number
  /** Instructions executed; `undefined` where nobody counted. */
  readonly icount: bigint | undefined
}

/** A JSON value inside `LayerInfo.specific`. */
export type InfoValue =
  | string
  | number
  | bigint
  | boolean
  | readonly InfoValue[]
  | { readonly [key: string]: InfoValue }
