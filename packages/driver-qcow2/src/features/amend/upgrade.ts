/** From version 2 to version 3: nothing but the header changes, and what the snapshot table says of sizes. */

import { snapshotExtraKnown, snapshotExtraV3Min } from '../../format/snapshot-entry.ts'
import type { MetadataLock } from '../../metadata/metadata-lock.ts'
import { type SnapshotStoreParts, type SnapshotTable, storeSnapshotTable } from '../snapshot/table-store.ts'

/** What an upgrade changes. */
export interface UpgradeParts extends SnapshotStoreParts {
  readonly lock: MetadataLock
  readonly state: { snapshots: SnapshotTable }
}

/**
 * Makes a version 2 image one of version 3.
 *
 * @throws BlockError of the file; the image is then as before, or, where only the last flush failed, as after
 * @see QEMU 7.2 block/qcow2.c: qcow2_upgrade
 */
export async function upgrade(parts: UpgradeParts): Promise<void> {
  const { lock, state, header } = parts
  await lock.run(async () => {
    // Version 3 requires every entry to say how large the disk was.
    if (state.snapshots.entries.some(({ extraBytes }) => extraBytes < snapshotExtraV3Min)) {
      const { size } = header.header
      const entries = state.snapshots.entries.map((entry) => ({
        ...entry,
        diskSize: entry.diskSize ?? size,
        extraBytes: snapshotExtraKnown + entry.unknownExtra.length,
      }))
      // Also where only a flush fails after the header names it: the next change frees what is really there.
      await storeSnapshotTable(parts, entries, state.snapshots, (table) => {
        state.snapshots = table
      })
    }
    await header.rewriteLayout({ header: { version: 3 } })
  })
}
