/** An open node's behaviour. A capability that is absent is unsupported: the core answers ENOTSUP, never silence. */

import type { JobOptions } from '../backend/job-options.ts'
import type { BitmapSupport } from './bitmap-support.ts'
import type { Child } from './child.ts'
import type { ChildListSupport } from './child-list.ts'
import type { BlkdebugEvent } from './events.ts'
import type { LayerInfo } from './layer-info.ts'
import type { LayoutSupport } from './layout.ts'
import type { OpenFlags } from './open-flags.ts'
import type { BlockStatus, TruncateRequest } from './requests.ts'
import type { SnapshotSupport } from './snapshot-support.ts'

/** Limits that a driver puts on the requests it gets, in bytes; absent or 0 means none. */
export interface LayerLimits {
  /** Every request is a multiple (power of two). Default 1. */
  readonly requestAlignment?: number
  /** Longest read or data write. */
  readonly maxTransfer?: number
  /** Bulk zero writes are multiples; smaller pieces come separately and may be refused with `ENOTSUP`. */
  readonly zeroAlignment?: number
  readonly maxZeroes?: number
  /** Bulk discards are multiples; smaller pieces come separately and may be refused with `ENOTSUP`. */
  readonly discardAlignment?: number
  readonly maxDiscard?: number
}

/**
 * What an open node can do. The core has checked every argument: offsets are in range and aligned to `limits`, the
 * node is writable where it is written to.
 */
export interface BlockLayer {
  /** Guest bytes, now. The core rounds it up to 512. */
  readonly length: number
  readonly limits?: LayerLimits
  /** Fills `into` completely. Never called for bytes past `length` rounded up to the request alignment. */
  read(offset: number, into: Uint8Array): Promise<void>
  /** As `read`, into several buffers in order. Absent: the core calls `read` for aligned parts, else joins them. */
  readv?(offset: number, into: readonly Uint8Array[]): Promise<void>
  /**
   * Only filters that copy on read: has the range copied without handing it out (a read with `prefetch`). Absent:
   * filters are looked through, other nodes do nothing.
   */
  prefetch?(offset: number, bytes: number): Promise<void>
  readonly writer?: WriteSupport
  /** All of a flush, children included, in place of the two below and of the core's own flush of the children (quorum). */
  flush?(): Promise<void>
  /** Writes cached metadata to the children; called by every flush, and before `flushToDisk`. */
  flushToOs?(): Promise<void>
  /** Makes what this node itself stores durable (protocols). Children are flushed by the core afterwards. */
  flushToDisk?(): Promise<void>
  readonly mapping?: MappingSupport
  readonly checker?: CheckSupport
  readonly maintenance?: MaintenanceSupport
  readonly snapshots?: SnapshotSupport
  /** Formats that keep dirty bitmaps in their images. */
  readonly bitmaps?: BitmapSupport
  /** Only where children may come and go while the node is open (quorum). */
  readonly childList?: ChildListSupport
  /** Only blkdebug: listens to the events that its parent announces. */
  readonly debug?: DebugSupport
  /** Says what the image's file is made of, for pictures and verdicts. */
  readonly layout?: LayoutSupport
  /** What `qemu-img info` prints about the node beyond its length. */
  info?(): LayerInfo
  /** Bytes the host really uses. Default: filters ask their child, formats add up their children but the backing. */
  allocatedBytes?(): Promise<number | undefined>
  /** Whether a fresh image reads as zeroes. Absent: no promise. */
  hasZeroInit?(): Promise<boolean>
  /** What the image records about its backing file, now; `undefined` for none. */
  backingReference?(): { readonly filename: string; readonly format: string | undefined } | undefined
  /**
   * The node has another backing file, or none, from now on; called while no request runs. Absent: a driver that looks
   * for its backing file only when it opens, which can be exchanged for another one but neither added nor taken away.
   */
  backingChanged?(backing: Child | undefined): void
  /** Plain file name that reopens this node, where the default (see `BlockNode.filename`) is not right for the driver. */
  exactFilename?(): string | undefined
  /**
   * The folder, its final slash included, from which relative names in images on this node count. Absent: the primary
   * child's, or else the one in the node's own plain name.
   *
   * @throws BlockError `EINVAL` `Cannot generate a base directory for <what> nodes`, where there can be none
   */
  dirname?(): string
  /** Switches between read-only and writable, for a driver without options that may change. See `prepareReopen`. */
  reopen?(change: ModeChange): Promise<void>
  /**
   * Checks new options and gets ready for them; nothing may show before `commit`. Children that are replaced still are
   * the old ones here, and the new ones at `commit`. With neither this nor `reopen` the node cannot be reopened.
   *
   * @throws BlockError where the change cannot be made; the node is as it was then
   */
  prepareReopen?(change: ReopenChange): Promise<PreparedReopen>
  /**
   * Protocols with locks: takes the permissions that this node's users need and refuses others the rest. Synchronous,
   * so that a graph change either holds as a whole or not at all.
   *
   * @throws BlockError with the reference's lock message; the old permissions then still hold
   */
  setPermissions?(permissions: { readonly taken: number; readonly shared: number }): void
  /**
   * Changes what the default rules say this node takes and shares of a child (blkdebug, raw with a window).
   *
   * @param permissions - what the rules say
   * @param users - what all users of this node take together, and what every one of them shares
   */
  childPermissions?(
    childName: string,
    permissions: { readonly taken: number; readonly shared: number },
    users: { readonly taken: number; readonly shared: number },
  ): { readonly taken: number; readonly shared: number }
  /** A drained section begins: the node starts nothing by itself any more, and resolves when nothing of it runs. */
  drainBegin?(): void | Promise<void>
  /** The drained section has ended; called once for each `drainBegin`. */
  drainEnd?(): void
  /** Writes back what is cached and lets go of memory. Children are closed by the core afterwards. Not called for an ejected node. */
  close(): Promise<void>
}

/** Flags of a write as a driver gets them. Filters hand them on as they are. */
export interface LayerWriteFlags {
  /** Only set where the driver has `supportsFua`. */
  readonly fua: boolean
  /** Present (true) where the guest sees the same bytes as before. */
  readonly unchanged?: boolean
}

/** What a writable node can do. */
export interface WriteSupport {
  /** True: `write` honours `fua` itself. Otherwise the core flushes after the write. */
  readonly supportsFua?: boolean
  /** `data` must not be changed: others may be reading it, or write it too. */
  write(offset: number, data: Uint8Array, flags: LayerWriteFlags): Promise<void>
  /** As `write`, from several buffers in order. Absent: the core calls `write` for aligned parts, else joins them. */
  writev?(offset: number, data: readonly Uint8Array[], flags: LayerWriteFlags): Promise<void>
  /** Zero flags that `writeZeroes` understands; the core drops `mayUnmap` and refuses `noFallback` without them. */
  readonly zeroFlags?: { readonly mayUnmap: boolean; readonly noFallback: boolean }
  /** @throws BlockError `ENOTSUP`: the core then writes zeroes as data, unless `noFallback` */
  writeZeroes?(
    offset: number,
    bytes: number,
    flags: LayerWriteFlags & { readonly mayUnmap: boolean; readonly noFallback: boolean },
  ): Promise<void>
  /** Whole clusters (the last one may end at the disk's end). An empty write ends a series of compressed writes. */
  writeCompressed?(offset: number, data: Uint8Array): Promise<void>
  /** @throws BlockError `ENOTSUP`: the core leaves that piece as it is */
  discard?(offset: number, bytes: number): Promise<void>
  truncate?(length: number, options: TruncateRequest): Promise<void>
  /** What `truncate` understands; without `zeroNewArea` the core refuses to grow an image over a longer backing file. */
  readonly truncateFlags?: { readonly zeroNewArea: boolean }
}

/** Which parts of a node are allocated. Absent: all is data at the same offset. */
export interface MappingSupport {
  /**
   * Status of the longest uniform run at `offset`; this layer only.
   *
   * @param bytes - wanted length; a longer run may be given, the core cuts it
   * @param wantZero - false: only allocation matters, answer as coarsely as is quick
   */
  blockStatus(offset: number, bytes: number, wantZero: boolean): Promise<BlockStatus>
}

/** What a check may mend. */
export type RepairMode = 'none' | 'leaks' | 'all'

/** Options of a check. */
export interface CheckOptions extends JobOptions {
  readonly repair?: RepairMode
}

/** Outcome of a check; counts of problems by kind. */
export interface CheckResult {
  readonly corruptions: number
  readonly leaks: number
  readonly checkErrors: number
  readonly corruptionsFixed: number
  readonly leaksFixed: number
  /** End of the last used cluster, in bytes of the file. */
  readonly imageEndOffset: number
  readonly clusters: {
    readonly total: number
    readonly allocated: number
    readonly fragmented: number
    readonly compressed: number
  }
}

/** A node whose metadata can be checked. */
export interface CheckSupport {
  /** @throws BlockError where the check itself could not be done */
  check(options: CheckOptions): Promise<CheckResult>
}

/** Operations on a whole image. */
export interface MaintenanceSupport {
  /** Deallocates everything, so that the backing file shows through. */
  makeEmpty?(): Promise<void>
  changeBacking?(backing: { readonly filename: string; readonly format: string | undefined } | undefined): Promise<void>
  /**
   * Changes what the image was created with; alone on the node. The core flushes afterwards.
   *
   * @param options - as parsed by the driver's `amendOptions`
   */
  amend?(options: object, job: AmendJob): Promise<void>
}

/** What amending an image gets besides the options. */
export interface AmendJob extends JobOptions {
  /** Changes that may destroy something are allowed. */
  readonly force: boolean
  /** Changes the length of the node as a user's request would, for an option that is the size. */
  truncate(length: number): Promise<void>
}

/** A node that listens to events (blkdebug). */
export interface DebugSupport {
  event(event: BlkdebugEvent): Promise<void>
  /** The next request that comes to `event` waits under `tag`. */
  setBreakpoint(event: BlkdebugEvent, tag: string): void
  /** Forgets all breakpoints with `tag` and lets their requests go on. @throws BlockError `ENOENT` where there is neither */
  removeBreakpoint(tag: string): void
  /** Lets the request that came to wait under `tag` last go on. @throws BlockError `ENOENT` where none waits */
  resume(tag: string): void
  isSuspended(tag: string): boolean
  /** Resolves as soon as a request waits under `tag`: at once where one does already. */
  untilSuspended(tag: string): Promise<void>
}

/** From read-only to writable, or back. */
export interface ModeChange {
  readonly readOnly: boolean
}

/** What a reopened node is to become. */
export interface ReopenChange extends ModeChange {
  /** All typed options as they are to be, absent ones at their defaults; `undefined`: only mode and flags change. */
  readonly options: object | undefined
  /** Flags as they are to be; those of the context of `open` are the old ones. */
  readonly flags: OpenFlags
}

/** A change that a driver has agreed to. Exactly one of the two is called, once. */
export interface PreparedReopen {
  /** Makes the change. Should not fail: others have changed already, and would have to be reopened as they were. */
  commit(): void | Promise<void>
  /** Lets go of what was prepared; must not fail. */
  abort(): void | Promise<void>
}
