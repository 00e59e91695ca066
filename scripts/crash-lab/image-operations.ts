/** The part of the operations table that is about images as a whole: snapshots, bitmaps, sizes, chains. */
import {
  applySnapshot,
  changeBackingFile,
  changeDirtyBitmap,
  createSnapshot,
  deleteSnapshot,
} from '@blocklayer/block-core'
import { writeClusters } from './guest-operations.ts'
import { isSmall, type Shape } from './shapes.ts'
import { backingName, type Bench, type TableEntry } from './table.ts'

/** A snapshot whose date does not depend on the clock, so that a run can be repeated. */
export function snapshot({ image }: Bench, name: string): Promise<void> {
  return createSnapshot(image.disk, { name, dateSeconds: 5, dateNanoseconds: 6, vmClockNanoseconds: 0, icount: 0n })
}

const addBitmap = ({ image, cluster }: Bench, name: string): Promise<void> =>
  changeDirtyBitmap(image.disk.root, { type: 'add', name, granularity: Math.max(512, cluster), persistent: true })

const isV3 = ({ version }: Shape): boolean => version === 3

const snapshotEntries: readonly TableEntry[] = [
  {
    name: 'overwrite-in-snapshot',
    title: "Overwrite of a snapshot's cluster",
    facts: ['snapshots'],
    async before(bench) {
      await writeClusters(bench, 0, 5, 1)
      await snapshot(bench, 'one')
    },
    async run(bench) {
      await bench.guest.write(bench.cluster, new Uint8Array(512).fill(7))
      await writeClusters(bench, 3, 1, 2)
    },
  },
  {
    name: 'snapshot-create',
    title: 'Snapshot: create',
    facts: ['snapshots'],
    before: (bench) => writeClusters(bench, 0, 5, 1),
    run: (bench) => bench.guest.act(() => snapshot(bench, 'one')),
  },
  {
    name: 'snapshot-apply',
    title: 'Snapshot: apply',
    facts: ['snapshots'],
    async before(bench) {
      await writeClusters(bench, 0, 5, 1)
      await snapshot(bench, 'one')
      await writeClusters(bench, 2, 5, 2)
    },
    run: ({ guest, image }) => guest.act(() => applySnapshot(image.disk, 'one')),
  },
  {
    name: 'snapshot-delete',
    title: 'Snapshot: delete',
    facts: ['snapshots'],
    async before(bench) {
      await writeClusters(bench, 0, 5, 1)
      await snapshot(bench, 'one')
      await writeClusters(bench, 2, 5, 2)
      await snapshot(bench, 'two')
    },
    run: ({ guest, image }) => guest.act(() => deleteSnapshot(image.disk, 'one')),
  },
]

const bitmapEntries: readonly TableEntry[] = [
  {
    name: 'bitmap-add',
    title: 'Persistent bitmap: add, write, close',
    on: isV3,
    facts: ['bitmaps'],
    // A flush would not make it last: a new bitmap reaches the image when that is closed.
    flushes: false,
    before: (bench) => writeClusters(bench, 0, 2, 1),
    async run(bench) {
      await bench.guest.act(() => addBitmap(bench, 'new'))
      await bench.guest.act(() => bench.image.disk.write(0, new Uint8Array(512).fill(3)))
    },
  },
  {
    name: 'bitmap-store',
    title: 'Persistent bitmaps: loaded, changed, stored on close',
    on: isV3,
    facts: ['bitmaps'],
    async before(bench) {
      await addBitmap(bench, 'one')
      await addBitmap(bench, 'two')
      await writeClusters(bench, 0, 2, 1)
    },
    async run({ guest, image, cluster }) {
      await guest.act(() => image.disk.write(4 * cluster, new Uint8Array(cluster).fill(5)))
      await guest.flush()
      await guest.act(() => image.disk.write(0, new Uint8Array(512).fill(6)))
    },
  },
  {
    name: 'bitmap-remove',
    title: 'Persistent bitmap: remove',
    on: isV3,
    facts: ['bitmaps'],
    async before(bench) {
      await addBitmap(bench, 'one')
      await addBitmap(bench, 'two')
      await writeClusters(bench, 0, 2, 1)
    },
    run: ({ guest, image }) => guest.act(() => changeDirtyBitmap(image.disk.root, { type: 'remove', name: 'one' })),
  },
  {
    name: 'bitmap-resize',
    title: 'Persistent bitmaps: the disk becomes longer, a write behind the old end, close',
    on: isV3,
    facts: ['bitmaps'],
    async before(bench) {
      await addBitmap(bench, 'one')
      await writeClusters(bench, 0, 2, 1)
    },
    async run({ guest, image, cluster }) {
      await guest.act(() => image.disk.truncate(20 * cluster))
      await guest.act(() => image.disk.write(15 * cluster, new Uint8Array(cluster).fill(5)))
    },
  },
  {
    name: 'bitmap-clear',
    title: 'Persistent bitmaps: one is cleared and one takes over its bits, close',
    on: isV3,
    facts: ['bitmaps'],
    flushes: false,
    async before(bench) {
      await addBitmap(bench, 'one')
      await writeClusters(bench, 0, 2, 1)
      await addBitmap(bench, 'two')
      await writeClusters(bench, 4, 2, 1)
    },
    async run({ guest, image: { disk } }) {
      await guest.act(() => changeDirtyBitmap(disk.root, { type: 'merge', name: 'two', sources: ['one'] }))
      await guest.act(() => changeDirtyBitmap(disk.root, { type: 'clear', name: 'one' }))
    },
  },
]

const sizeEntries: readonly TableEntry[] = [
  {
    name: 'resize-up',
    title: 'Resize: longer, within the L1 table',
    before: (bench) => writeClusters(bench, 0, 2, 1),
    run: ({ guest, image, cluster }) => guest.act(() => image.disk.truncate(20 * cluster)),
  },
  {
    name: 'growing-l1',
    title: 'Resize: longer, with a new L1 table; then a write into what the old one took',
    on: isSmall,
    before: (bench) => writeClusters(bench, 0, 2, 1),
    async run(bench) {
      const { guest, image, cluster } = bench
      await guest.act(() => image.disk.truncate(4200 * cluster))
      await writeClusters(bench, 4, 2, 2)
    },
  },
  {
    name: 'resize-down',
    title: 'Resize: shorter',
    before: (bench) => writeClusters(bench, 0, 10, 1),
    run: ({ guest, image, cluster }) => guest.act(() => image.disk.truncate(3 * cluster)),
  },
  {
    name: 'resize-down-l1',
    title: 'Resize: shorter by several L2 tables',
    on: isSmall,
    clusters: 200,
    before: (bench) => writeClusters(bench, 30, 150, 1),
    run: ({ guest, image, cluster }) => guest.act(() => image.disk.truncate(40 * cluster)),
  },
]

const backingEntries: readonly TableEntry[] = [
  {
    name: 'change-backing',
    title: 'Change backing: the name that is recorded becomes longer, then shorter',
    backed: true,
    facts: ['header'],
    before: (bench) => writeClusters(bench, 0, 2, 1),
    async run({ guest, image }) {
      const root = image.disk.root
      await guest.act(() => changeBackingFile(root, { filename: 'b'.repeat(200), format: 'qcow2' }))
      await guest.act(() => changeBackingFile(root, { filename: backingName, format: 'raw' }))
    },
  },
  {
    name: 'change-backing-long',
    title: 'Change backing: names that do not fit into the first sector',
    on: ({ clusterSize }) => clusterSize > 512,
    backed: true,
    facts: ['header'],
    before: (bench) => writeClusters(bench, 0, 2, 1),
    async run({ guest, image }) {
      const root = image.disk.root
      await guest.act(() => changeBackingFile(root, { filename: 'b'.repeat(900), format: 'qcow2' }))
      await guest.act(() => changeBackingFile(root, { filename: 'c'.repeat(700), format: 'raw' }))
      await guest.act(() => changeBackingFile(root, { filename: backingName, format: 'qcow2' }))
    },
  },
  {
    name: 'drop-backing',
    title: 'Change backing: none',
    backed: true,
    facts: ['header'],
    before: (bench) => writeClusters(bench, 0, 12, 1),
    run: ({ guest, image }) => guest.act(() => changeBackingFile(image.disk.root, {})),
  },
]

/** Operations on images as a whole. */
export const imageEntries: readonly TableEntry[] = [
  ...snapshotEntries,
  ...bitmapEntries,
  ...sizeEntries,
  ...backingEntries,
]
