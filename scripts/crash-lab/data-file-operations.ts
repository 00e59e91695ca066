/** The part of the operations table in which guest data lies in a file of its own: several disks lose power together. */
import { amendImage } from '@blocklayer/block-core'
import { stamped } from '@blocklayer/block-core/testing'
import { commit, committed, commitSource, empty } from './chain-operations.ts'
import { writeClusters } from './guest-operations.ts'
import type { Shape } from './shapes.ts'
import type { Bench, TableEntry } from './table.ts'

const withData = (bench: Bench): Promise<void> => writeClusters(bench, 0, 6, 1)

/** Version 2 has no data files; lazy refcounts show on small clusters already. */
const common = { dataFile: true, on: ({ version, name }: Shape) => version === 3 && name !== 'lazy-64k' } as const

const requests: readonly TableEntry[] = [
  {
    ...common,
    name: 'data-file-write',
    title: 'Data file: allocating writes, whole and partial clusters',
    before: (bench) => writeClusters(bench, 0, 1, 1),
    async run(bench) {
      const { guest, cluster } = bench
      await writeClusters(bench, 2, 2, 2)
      await guest.flush()
      await guest.write(5 * cluster + 256, stamped(0, 512, 3))
    },
  },
  {
    ...common,
    name: 'data-file-overwrite',
    title: 'Data file: write in place, flushed, and again',
    before: withData,
    async run({ guest, cluster }) {
      await guest.write(512, stamped(512, 2 * cluster, 2))
      await guest.flush()
      await guest.write(0, stamped(0, cluster, 3))
    },
  },
  {
    ...common,
    name: 'data-file-zero',
    title: 'Data file: zero writes over data, over nothing, over parts; then data again',
    before: withData,
    async run(bench) {
      const { guest, cluster } = bench
      await guest.writeZeroes(cluster, 2 * cluster, { mayUnmap: true })
      await guest.writeZeroes(4 * cluster, cluster)
      await guest.flush()
      await guest.writeZeroes(5 * cluster + 256, 2 * cluster)
      await writeClusters(bench, 1, 1, 4)
    },
  },
  {
    ...common,
    name: 'data-file-discard',
    title: 'Data file: discard, then writes into what was discarded',
    before: withData,
    async run(bench) {
      const { guest, image, cluster } = bench
      await guest.act(() => image.disk.discard(cluster, 3 * cluster))
      await writeClusters(bench, 2, 1, 4)
      await guest.flush()
      await guest.act(() => image.disk.discard(5 * cluster, cluster))
    },
  },
  {
    ...common,
    name: 'data-file-reuse',
    title: 'Data file: writes right after a discard, over what still stands there',
    before: withData,
    // Nothing is punched: old data would be seen, not zeroes.
    qcow2: { passDiscardRequest: false },
    async run(bench) {
      const { guest, image, cluster } = bench
      await guest.act(() => image.disk.discard(cluster, 2 * cluster))
      await guest.flush()
      await writeClusters(bench, 1, 1, 4)
      await guest.write(2 * cluster, stamped(0, 512, 5))
    },
  },
  {
    ...common,
    name: 'data-file-resize',
    title: 'Data file: longer with a write into the new space, then shorter',
    before: withData,
    async run(bench) {
      const { guest, image, cluster } = bench
      await guest.act(() => image.disk.truncate(20 * cluster))
      await writeClusters(bench, 15, 2, 2)
      await guest.flush()
      await guest.act(() => image.disk.truncate(3 * cluster))
    },
  },
  {
    ...common,
    name: 'data-file-close',
    title: 'Data file: close after writes that nobody flushed',
    flushes: false,
    before: (bench) => writeClusters(bench, 0, 2, 1),
    run: (bench) => writeClusters(bench, 1, 4, 2),
  },
]

const images: readonly TableEntry[] = [
  {
    ...common,
    name: 'data-file-makeEmpty',
    title: 'Data file: emptying a committed overlay (the plain way)',
    backed: true,
    before: committed,
    run: empty,
  },
  {
    ...common,
    name: 'data-file-commit',
    title: 'Data file: commit of an overlay into its base, and emptying',
    backed: true,
    before: commitSource,
    run: commit,
  },
  {
    ...common,
    name: 'data-file-amend',
    title: 'Data file: amend, its name and the width of the refcounts',
    facts: ['header'],
    before: withData,
    run: ({ guest, image, shape }) =>
      guest.act(() =>
        amendImage(image.disk, { data_file: 'another', refcount_bits: shape.refblockEntries === 64 ? 16 : 64 }),
      ),
  },
]

/** A raw data file shows the guest's disk by itself: what is seen of it alone is judged as well. */
const raw: readonly TableEntry[] = [
  ...requests.map((entry) => ({
    ...entry,
    name: entry.name.replace('data-file', 'raw-file'),
    title: entry.title.replace('Data file', 'Raw data file'),
  })),
  {
    ...common,
    name: 'raw-file-amend',
    title: 'Raw data file: amend, it need not show the disk by itself any more; then writes',
    facts: ['header'] as const,
    before: withData,
    async run({ guest, image, cluster }: Bench) {
      await guest.act(() => amendImage(image.disk, { data_file_raw: false }))
      await guest.write(cluster, stamped(cluster, cluster, 2))
    },
  },
].map(
  (entry): TableEntry => ({ ...entry, dataFile: 'raw', on: (shape) => common.on(shape) && shape.clusterSize < 16384 }),
)

/** Operations on images with an external data file. */
export const dataFileEntries: readonly TableEntry[] = [...requests, ...images, ...raw]
