/** What requests carry, and what they tell: buffers, flags, statuses. */

import type { JobOptions } from '../backend/job-options.ts'

/** How space for a new image, or for the new part of a growing one, is prepared. */
export type Preallocation = 'off' | 'metadata' | 'falloc' | 'full'

/**
 * How a length changes. Preparing space may take long: aborting rejects with `signal.reason`, and the length is then what it
 * was; `onProgress` is told the bytes of it that are prepared.
 */
export interface TruncateOptions extends JobOptions {
  readonly preallocation?: Preallocation
  /** `false`: at least this long is enough (block devices). Default true. */
  readonly exact?: boolean
  /** The area that a growing truncate adds must read as zero even over a backing file. */
  readonly zeroNewArea?: boolean
}

/** How a length changes, with every default filled in. */
export type TruncateRequest = Required<Omit<TruncateOptions, keyof JobOptions>> & JobOptions

/** One buffer, or several that are filled or written one after the other without being joined. */
export type IoBuffers = Uint8Array | readonly Uint8Array[]

/** Flags of a read. The core handles them on the node that is read; its driver sees an ordinary read. */
export interface ReadFlags {
  /** What the node has not allocated itself is written into it, so that its backing file is not asked again. */
  readonly copyOnRead?: boolean
  /** With copy-on-read: the data itself is not wanted, `into` only says how long the range is and keeps its bytes. */
  readonly prefetch?: boolean
}

/** Flags of a data write. */
export interface WriteFlags {
  /** The data is durable when the write returns. */
  readonly fua?: boolean
  /** The guest sees the same bytes as before (copy-on-read): needs only the permission to write unchanged. */
  readonly unchanged?: boolean
  /** No other request on the node's clusters in the range may run meanwhile. */
  readonly serialising?: boolean
}

/** Flags of a zero write. */
export interface ZeroFlags extends WriteFlags {
  /** The range may be deallocated as long as it reads as zero. */
  readonly mayUnmap?: boolean
  /** Fail with `ENOTSUP` rather than write zeroes as data. */
  readonly noFallback?: boolean
}

/** Where a range's content comes from; one run of equal status. */
export interface BlockStatus {
  /** Length of the run in bytes, at least 1 (0 only past the end), at most what was asked. */
  readonly bytes: number
  /** Storage for data is tied to this layer. */
  readonly data: boolean
  /** Reads as zero. */
  readonly zero: boolean
  /** Content is determined by this layer (`data || zero` as the driver said it); set by the core. */
  readonly allocated?: boolean
  /** Offset in `file` where the run lies as raw bytes. */
  readonly hostOffset?: number | undefined
  readonly compressed?: boolean
  /** Name of the child that `hostOffset` refers to; absent: the node's primary child (protocols: the node itself). */
  readonly child?: string | undefined
  /** Pass-through drivers: ask `child` at `hostOffset` instead (QEMU: `BDRV_BLOCK_RAW`). */
  readonly raw?: boolean
  /** With `data` and `hostOffset`: the file may know about zeroes there (QEMU: `BDRV_BLOCK_RECURSE`). */
  readonly recurse?: boolean
  /** The run ends at the end of this layer; set by the core. */
  readonly eof?: boolean
}
