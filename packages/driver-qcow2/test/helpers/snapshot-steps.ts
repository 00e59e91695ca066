/** What is done to the snapshots of one image, and what must hold of it whatever happened meanwhile. */

import { applySnapshot, createSnapshot, deleteSnapshot, showSnapshot } from '@blocklayer/block-core'
import { expectSameBytes, filled, MemoryStore } from '@blocklayer/block-core/testing'
import { expect } from 'vitest'
import type { Qcow2CreateOptions } from '../../src/features/create/options.ts'
import { KiB, newImage, type OpenDisk, openDisk, readAll } from './disk.ts'

/** When snapshots are made. */
export const moment = { dateSeconds: 5, dateNanoseconds: 6, icount: 0n } as const

/** Number and name of each snapshot. */
export const names = ({ disk }: OpenDisk): string[] =>
  (disk.info.snapshots ?? []).map(({ id, name }) => `${id} ${name}`)

/** A change of the snapshots of an image. */
export interface SnapshotStep {
  readonly name: string
  run(disk: OpenDisk['disk']): Promise<void>
}

/** Each change that there is, to the image of `withOld`. */
export const snapshotSteps: readonly SnapshotStep[] = [
  { name: 'create', run: (disk) => createSnapshot(disk, { name: 'new', ...moment }) },
  { name: 'apply', run: (disk) => applySnapshot(disk, 'old') },
  { name: 'delete', run: (disk) => deleteSnapshot(disk, 'old') },
]

/** An image with a snapshot. */
export interface SnapshotImage {
  readonly image: Uint8Array
  /** Guest data of the snapshot "old". */
  readonly old: Uint8Array
  /** Guest data of the disk. */
  readonly now: Uint8Array
}

/** A disk of 96 KiB with a snapshot "old" that differs from it. */
export async function withOld(options: Qcow2CreateOptions): Promise<SnapshotImage> {
  const store = new MemoryStore(await newImage(96 * KiB, options))
  const opened = await openDisk(store)
  await opened.disk.write(0, filled(1, 20 * KiB))
  await opened.disk.write(40 * KiB, filled(2, 20 * KiB))
  const old = await readAll(opened.disk)
  await createSnapshot(opened.disk, { name: 'old', ...moment })
  await opened.disk.write(10 * KiB, filled(3, 40 * KiB))
  const now = await readAll(opened.disk)
  await opened.close()
  return { image: store.bytes(), old, now }
}

/** Many small clusters. */
export const small: Qcow2CreateOptions = { clusterSize: 1024, refcountBits: 16 }

/** Every snapshot of the image in `store`, and the disk, hold what they must. */
export async function verifySnapshots(
  store: MemoryStore,
  what: string,
  { old, now }: Pick<SnapshotImage, 'old' | 'now'>,
): Promise<void> {
  const disks = [old, now]
  const opened = await openDisk(store)
  const content = await readAll(opened.disk)
  const shown = disks.findIndex((disk) => Buffer.compare(disk, content) === 0)
  expect({ what, shown: shown >= 0 }).toEqual({ what, shown: true })
  for (const name of names(opened)) {
    const view = await openDisk(store, { readOnly: true })
    await showSnapshot(view.disk, { name: name.slice(2) })
    expectSameBytes(await readAll(view.disk), name === '1 old' ? old : now, `${what}: ${name}`)
    await view.close()
  }
  // The next write hits nobody else: in place only where the cluster is the disk's own.
  await opened.disk.write(0, filled(8, 96 * KiB))
  await opened.close()
  const after = await openDisk(store, { readOnly: true })
  if (names(after).includes('1 old')) {
    await showSnapshot(after.disk, { name: 'old' })
    expectSameBytes(await readAll(after.disk), old, `${what}: old after a write`)
  }
  await after.close()
}
