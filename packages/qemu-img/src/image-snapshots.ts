/** Internal snapshots, by name and with the reference's words. */

import {
  applySnapshot,
  type BlockBackend,
  BlockError,
  createSnapshot,
  deleteSnapshot,
  type SnapshotWanted,
  showSnapshot,
  snapshotsOf,
} from '@blocklayer/block-core'
import { refusal } from './refusal.ts'

/** Longest name that the reference takes; what is longer is cut. */
const nameBytesMax = 255

/**
 * Makes an internal snapshot of a writable disk as it is, durably.
 *
 * @param name - of at most 255 bytes; what is longer is cut
 * @throws BlockError `Could not create snapshot '<name>': …`
 * @see QEMU 7.2 qemu-img.c: img_snapshot
 * @example
 * await createImageSnapshot(disk, 'before-upgrade')
 */
export async function createImageSnapshot(disk: BlockBackend, name: string): Promise<void> {
  try {
    await createSnapshot(disk, { name: firstBytes(name, nameBytesMax) })
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw BlockError.withErrno(error.code, `Could not create snapshot '${name}'`, { cause: error, hint: error.hint })
  }
}

/** As much of `text` as fits, in whole characters. */
function firstBytes(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes))
  return text.slice(0, read)
}

/**
 * Forgets a snapshot and frees what only it held. By name only: what looks like an id may be the name of another one.
 *
 * @throws BlockError `Could not delete snapshot '<name>': …`
 */
export async function deleteImageSnapshot(disk: BlockBackend, name: string): Promise<void> {
  const head = `Could not delete snapshot '${name}': `
  const snapshot = snapshotsOf(disk).find((one) => one.name === name)
  if (snapshot === undefined) throw refusal('snapshot', 'ENOENT', `${head}snapshot not found`)
  try {
    await deleteSnapshot(disk, { id: snapshot.id, name })
  } catch (error) {
    throw error instanceof BlockError ? error.prepend(head) : error
  }
}

/**
 * Makes a writable disk what it was when the snapshot was made, durably; its size may change.
 *
 * @param name - or id
 * @throws BlockError `Could not apply snapshot '<name>': …`; the disk is as it was then
 */
export async function applyImageSnapshot(disk: BlockBackend, name: string): Promise<void> {
  try {
    await applySnapshot(disk, name)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const message = `Could not apply snapshot '${name}': ${whyNotApplied(error)}`
    throw new BlockError(error.code, message, { cause: error, hint: error.hint })
  }
}

function whyNotApplied(error: BlockError): string {
  if (error.code === 'ENOTSUP') return 'Block driver does not support snapshots'
  return error.code === 'EBUSY' ? error.message : `Failed to load snapshot: ${error.errnoText}`
}

/**
 * Shows a snapshot in place of the content of a disk that is open for reading, until it is closed.
 *
 * @param wanted - a name or an id, or which of the two is meant
 * @throws BlockError `Failed to load snapshot: …`
 * @see QEMU 7.2 block/snapshot.c: bdrv_snapshot_load_tmp
 */
export async function showImageSnapshot(disk: BlockBackend, wanted: SnapshotWanted): Promise<void> {
  const head = 'Failed to load snapshot: '
  try {
    await showSnapshot(disk, wanted)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    if (error.code !== 'ENOTSUP') throw error.prepend(head)
    const format = `Block format '${disk.root.driverName}' used by device ''`
    const message = `${head}${format} does not support temporarily loading internal snapshots`
    throw new BlockError(error.code, message, { cause: error })
  }
}
