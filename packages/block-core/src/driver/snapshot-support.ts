/** Internal snapshots as a driver offers them. */

/** What a new snapshot records besides the disk. */
export interface SnapshotMoment {
  readonly name: string
  /** Seconds since 1970, and nanoseconds. */
  readonly dateSeconds: number
  readonly dateNanoseconds: number
  /** Guest clock in nanoseconds since the machine was started. */
  readonly vmClockNanoseconds: number
  /** Bytes of machine state that were saved with `writeVmState`. */
  readonly vmStateBytes: number
  /** Instructions executed; `undefined` where nobody counted. */
  readonly icount: bigint | undefined
}

/** Whom a user names: one text that is a number or else a name, or either of them exactly. */
export type SnapshotWanted = string | { readonly id?: string | undefined; readonly name?: string | undefined }

/**
 * A format that keeps snapshots inside the image. What there is stands in `LayerInfo.snapshots`. The core sees to it that
 * no other request is under way.
 *
 * @see QEMU 7.2 include/block/block_int-common.h: bdrv_snapshot_create and the fields behind it
 */
export interface SnapshotSupport {
  /** @throws BlockError `EFBIG` for one too many; nothing has changed then */
  create(moment: SnapshotMoment): Promise<void>
  /** The disk becomes what it was, its size included. @throws BlockError `ENOENT`; the disk is then as it was */
  apply(wanted: SnapshotWanted): Promise<void>
  /** @throws BlockError `ENOENT` */
  delete(wanted: SnapshotWanted): Promise<void>
  /** Read-only nodes: shows the snapshot instead of the disk, until the node is closed. @throws BlockError `EINVAL` on a writable one */
  show(wanted: SnapshotWanted): Promise<void>
  /** Machine state lies behind the disk, and goes with the next snapshot that is made. */
  readVmState(offset: number, into: Uint8Array): Promise<void>
  writeVmState(offset: number, data: Uint8Array): Promise<void>
}
