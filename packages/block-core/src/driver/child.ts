/** An edge of the graph as the parent's driver sees it: the child's bytes, and the role it plays. */

import type { BlkdebugEvent } from './events.ts'
import type { LayerInfo } from './layer-info.ts'
import type { BlockNode } from './node-view.ts'
import type { BlockStatus, IoBuffers, ReadFlags, TruncateOptions, WriteFlags, ZeroFlags } from './requests.ts'

/** Role bits with QEMU's values; at least one of the first four is set on every child. */
export const ChildRoles = {
  /** Holds guest data. */
  data: 1,
  /** Holds format metadata. */
  metadata: 2,
  /** The parent shows exactly this child's data. */
  filtered: 4,
  /** Supplies what the parent has not allocated (the backing file). */
  cow: 8,
  /** The child whose file name best names the parent. */
  primary: 16,
  /** The usual role of a format's `file`: data, metadata and primary (1 + 2 + 16). */
  image: 19,
} as const

/** A sum of `ChildRoles`. */
export type ChildRole = number

/**
 * A child node through its parent's edge. Requests are checked, aligned, split and tracked by the graph.
 *
 * Reads past the child's end give zeroes; writes past it make it longer.
 */
export interface Child {
  readonly name: string
  readonly role: ChildRole
  readonly node: BlockNode
  /** Bytes, now. */
  readonly length: number
  /** What the format of the node below says about itself. @throws BlockError `ENOMEDIUM` where it was ejected */
  readonly info: LayerInfo
  read(offset: number, into: IoBuffers, flags?: ReadFlags): Promise<void>
  write(offset: number, data: IoBuffers, flags?: WriteFlags): Promise<void>
  /** Whether the child's driver has compressed writes. @throws BlockError `ENOMEDIUM` where it was ejected */
  readonly canCompress: boolean
  /**
   * Writes whole clusters compressed; an empty write ends a series.
   *
   * @throws BlockError `ENOTSUP` where the child's driver cannot compress
   */
  writeCompressed(offset: number, data: Uint8Array): Promise<void>
  /** @throws BlockError `ENOTSUP` with `noFallback` where the child cannot zero without writing data */
  writeZeroes(offset: number, bytes: number, flags?: ZeroFlags): Promise<void>
  /** Advisory: what the child cannot discard is left as it is. */
  discard(offset: number, bytes: number): Promise<void>
  flush(): Promise<void>
  truncate(length: number, options?: TruncateOptions): Promise<void>
  /** Status of the child's own layer (filters looked through, backing files not). */
  blockStatus(offset: number, bytes: number, options?: { readonly wantZero?: boolean }): Promise<BlockStatus>
  /** True only if a fast query over the child's whole chain says that the range reads as zero; never reads data. */
  isZeroFast(offset: number, bytes: number): Promise<boolean>
  /** Whether the child's whole chain says so of every part of the range, holes of files included; never reads data. */
  readsZero(offset: number, bytes: number): Promise<boolean>
  /** Bytes the host really uses for the child, or `undefined` where nobody knows. */
  allocatedBytes(): Promise<number | undefined>
  /** Whether the child read as zeroes when it was new (files do; block devices make no promise). */
  hasZeroInit(): Promise<boolean>
  /** Announces the step that comes next to a blkdebug node below; free where there is none. */
  debugEvent(event: BlkdebugEvent): Promise<void>
}
