/** The part of the operations table that is about guest requests. */
import { random, stamped } from '@blocklayer/block-core/testing'
import { isExtended, isSmall, type Shape } from './shapes.ts'
import type { Bench, TableEntry } from './table.ts'

/** Data for `clusters` guest clusters from `first` on; `salt` tells writes apart. */
export function clusterData({ cluster }: Bench, first: number, clusters: number, salt: number): Uint8Array {
  return stamped(first * cluster, clusters * cluster, salt)
}

/** Writes whole clusters. */
export function writeClusters(bench: Bench, first: number, clusters: number, salt: number): Promise<void> {
  return bench.guest.write(first * bench.cluster, clusterData(bench, first, clusters, salt))
}

const l2Entries = ({ clusterSize }: Shape): number => clusterSize / 8

/** How many clusters a new image has taken before its first data cluster, about. */
const metadataClusters = 5

/** Requests at random, rarely flushed, so that many are in doubt at a time. */
function history(seed: number): TableEntry {
  return {
    name: `history-${seed}`,
    title: `Writes, zeroes, discards and flushes at random, seed ${seed}`,
    on: ({ clusterSize }) => clusterSize <= 4096,
    clusters: 24,
    // The requests themselves fail in the other entries.
    crashesOnly: seed > 1,
    before: (bench) => writeClusters(bench, 0, 8, 1),
    run: (bench) => play(bench, seed),
  }
}

async function play(bench: Bench, seed: number): Promise<void> {
  const { guest, image, cluster } = bench
  const choose = random(seed)
  const sectors = (24 * cluster) / 512
  for (let step = 0; step < 40; step++) {
    const first = choose.below(sectors)
    const count = Math.min(sectors - first, 1 + choose.below(2 * Math.ceil(cluster / 512) + 2))
    const action = choose.below(10)
    if (action < 6) await guest.write(first * 512, stamped(first * 512, count * 512, 2 + step))
    else if (action < 8) await guest.writeZeroes(first * 512, count * 512, { mayUnmap: choose.chance(0.5) })
    else if (action < 9) await guest.act(() => image.disk.discard(choose.below(22) * cluster, 2 * cluster))
    else await guest.flush()
  }
}

/** Guest requests. */
export const guestEntries: readonly TableEntry[] = [
  {
    name: 'first-in-l2',
    title: 'Allocating write, the first one of its L2 table',
    run: (bench) => writeClusters(bench, 0, 2, 1),
  },
  {
    name: 'next-in-l2',
    title: 'Allocating writes into an L2 table that exists, whole and partial clusters',
    before: (bench) => writeClusters(bench, 0, 1, 1),
    async run(bench) {
      await bench.guest.write(2 * bench.cluster + 256, clusterData(bench, 2, 1, 2).subarray(0, 256))
      await writeClusters(bench, 4, 2, 3)
    },
  },
  {
    name: 'copy-on-write',
    title: 'Partial write over a backing file',
    backed: true,
    async run(bench) {
      await bench.guest.write(512, stamped(512, bench.cluster, 2))
      await bench.guest.flush()
      await bench.guest.write(3 * bench.cluster, stamped(0, 512, 3))
    },
  },
  {
    name: 'overwrite',
    title: 'Write in place',
    before: (bench) => writeClusters(bench, 0, 4, 1),
    run: (bench) => bench.guest.write(512, stamped(512, 2 * bench.cluster, 2)),
  },
  {
    name: 'first-in-refblock',
    title: 'Allocating write, the first one of a new refcount block',
    on: isSmall,
    clusters: (shape) => shape.refblockEntries + 16,
    before: (bench) => writeClusters(bench, 0, bench.shape.refblockEntries - metadataClusters - 8, 1),
    async run(bench) {
      for (let step = 0; step < 8; step++) {
        await writeClusters(bench, bench.shape.refblockEntries - metadataClusters - 8 + 2 * step, 2, 2 + step)
      }
    },
  },
  {
    name: 'growing-refcount-table',
    title: 'Allocating write that makes the refcount table grow',
    on: ({ name }) => name === 'v3-512' || name === 'lazy-512',
    clusters: 4096,
    before: (bench) => writeClusters(bench, 0, 3950, 1),
    async run(bench) {
      for (let step = 0; step < 4; step++) await writeClusters(bench, 3950 + 32 * step, 32, 2 + step)
    },
  },
  {
    name: 'zero-write',
    title: 'Zero writes over data, over nothing, over parts of clusters',
    before: (bench) => writeClusters(bench, 0, 6, 1),
    async run({ guest, cluster }) {
      await guest.writeZeroes(cluster, 2 * cluster, { mayUnmap: true })
      await guest.writeZeroes(4 * cluster, cluster)
      await guest.writeZeroes(5 * cluster + 256, 2 * cluster)
      await guest.writeZeroes(9 * cluster, cluster)
    },
  },
  {
    name: 'zero-write-backed',
    title: 'Zero write over a backing file',
    backed: true,
    before: (bench) => writeClusters(bench, 0, 2, 1),
    run: ({ guest, cluster }) => guest.writeZeroes(cluster, 4 * cluster),
  },
  {
    name: 'discard',
    title: 'Discard, then writes into the clusters that became free',
    before: (bench) => writeClusters(bench, 0, 8, 1),
    async run(bench) {
      const { guest, image, cluster } = bench
      await guest.act(() => image.disk.discard(cluster, 3 * cluster))
      await guest.flush()
      await writeClusters(bench, 9, 2, 4)
      await guest.act(() => image.disk.discard(5 * cluster, cluster))
    },
  },
  {
    name: 'reuse',
    title: 'Writes right after a discard, into clusters that still hold what was there',
    before: (bench) => writeClusters(bench, 0, 8, 1),
    // Nothing is punched: old data would be seen, not zeroes.
    qcow2: { passDiscardRequest: false },
    async run(bench) {
      const { guest, image, cluster } = bench
      await guest.act(() => image.disk.discard(cluster, 2 * cluster))
      await writeClusters(bench, 9, 2, 4)
      await guest.flush()
      await writeClusters(bench, 1, 2, 5)
    },
  },
  {
    name: 'discard-backed',
    title: 'Discard over a backing file',
    backed: true,
    before: (bench) => writeClusters(bench, 0, 8, 1),
    run: ({ guest, image, cluster }) => guest.act(() => image.disk.discard(cluster, 3 * cluster)),
  },
  {
    name: 'compressed-write',
    title: 'Compressed writes, and a plain one over them',
    before: (bench) => writeClusters(bench, 0, 1, 1),
    async run(bench) {
      const { guest, cluster } = bench
      for (const at of [2, 3, 4]) await guest.writeCompressed(at * cluster, new Uint8Array(cluster).fill(at))
      await guest.flush()
      await guest.write(3 * cluster, clusterData(bench, 3, 1, 5).subarray(0, 512))
      await guest.flush()
      await guest.writeCompressed(7 * cluster, new Uint8Array(cluster).fill(7))
    },
  },
  {
    name: 'tiny-caches',
    title: 'Writes all over the disk with caches of one entry, so that tables come and go',
    clusters: (shape) => Math.min(3 * l2Entries(shape), 200),
    on: isSmall,
    qcow2: { l2CacheSize: 1024, l2CacheEntrySize: 512, refcountCacheSize: 0 },
    async run(bench) {
      const { guest, cluster } = bench
      for (const [salt, at] of [0, 100, 70, 140, 3, 71, 101].entries()) await writeClusters(bench, at, 2, salt + 1)
      await guest.writeZeroes(70 * cluster, 2 * cluster, { mayUnmap: true })
      await writeClusters(bench, 20, 3, 9)
    },
  },
  {
    name: 'subclusters',
    title: 'Extended L2 entries: single subclusters written, zeroed, discarded and written again, over a backing file',
    on: isExtended,
    backed: true,
    before: (bench) => bench.guest.write(bench.cluster + 512, stamped(0, 1024, 1)),
    async run({ guest, image, cluster }) {
      await guest.write(512, stamped(0, 1536, 2))
      await guest.writeZeroes(2048, 1024)
      await guest.write(cluster + 4096 + 100, stamped(0, 800, 3))
      await guest.flush()
      await guest.writeZeroes(cluster + 512, 512, { mayUnmap: true })
      await guest.write(2048, stamped(0, 512, 4))
      await guest.act(() => image.disk.discard(cluster, cluster))
      await guest.write(cluster + 1024, stamped(0, 512, 5))
    },
  },
  ...Array.from({ length: 10 }, (_, index) => history(index + 1)),
  {
    name: 'close',
    title: 'Close after writes that nobody flushed',
    flushes: false,
    before: (bench) => writeClusters(bench, 0, 2, 1),
    run: (bench) => writeClusters(bench, 1, 4, 2),
  },
]
