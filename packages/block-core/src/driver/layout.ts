/** Where an image's own structures and the guest's data lie in its file: what a picture or a verdict is made from. */

import type { JobOptions } from '../backend/job-options.ts'

/** What a part of the file is for. The words are the core's; a driver says in `names` what its format calls them. */
export type LayoutKind =
  | 'header'
  /** What leads from guest offsets to places: the table that everything begins at, and those below it. */
  | 'map-root'
  | 'map'
  /** What counts who uses a place. */
  | 'counts-root'
  | 'counts'
  /** Internal snapshots: their list and their tables. */
  | 'snapshot'
  /** Data that only snapshots still show. */
  | 'snapshot-data'
  | 'bitmap'
  | 'data'
  | 'compressed'
  /** Taken, and reads as zeroes. */
  | 'reserved'
  /** Taken, and nothing refers to it. */
  | 'leaked'
  /** Claimed a second time, by something that cannot share it: damage. */
  | 'overlap'
  /** Named as the place of something, and no such place: outside the file, or between two places. */
  | 'broken'

/** A part of the file. */
export interface LayoutRun {
  readonly kind: LayoutKind
  /** Bytes of the file. 0 where the place has been told before and only `guestBytes` is new. */
  readonly offset: number
  readonly bytes: number
  /** Bytes of the disk that lie there: more than `bytes` where they are compressed. */
  readonly guestBytes?: number
  /** The child that the place is in; absent: the one with the image's own structures. */
  readonly child?: string
}

/** How a layout is described. */
export interface LayoutOptions extends JobOptions {
  /** Bytes that the description may hold in memory, buffers of a cluster apart. Default 64 MiB. */
  readonly memoryMax?: number | undefined
}

/** A node that can say what its file is made of. */
export interface LayoutSupport {
  /** What the format calls the kinds, for a legend: `map` is `L2 tables`. */
  readonly names: Readonly<Partial<Record<LayoutKind, string>>>
  /**
   * Every place that is taken, each once, in no order; what is not told is free. A description of an image that is being
   * written may be of several instants.
   *
   * @throws BlockError `ENOMEM` where it takes more memory than allowed, or whatever reading meets
   */
  describe(options?: LayoutOptions): AsyncIterable<LayoutRun>
}
