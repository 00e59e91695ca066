/** The part of the operations table that is about amending: each creation option that can be changed later. */
import { amendImage, type AmendedOptions } from '@blocklayer/block-core'
import { writeClusters } from './guest-operations.ts'
import { snapshot } from './image-operations.ts'
import { hasWideCounts, isExtended, type Shape } from './shapes.ts'
import type { Bench, TableEntry } from './table.ts'

const isV3 = ({ version }: Shape): boolean => version === 3
const amend = (options: AmendedOptions) => (bench: Bench) =>
  bench.guest.act(() => amendImage(bench.image.disk, options))

const withData = (bench: Bench): Promise<void> => writeClusters(bench, 0, 5, 1)

const plain: readonly TableEntry[] = [
  {
    name: 'amend-upgrade',
    title: 'Amend: version 2 to 3',
    on: (shape) => shape.version === 2,
    facts: ['header'],
    before: withData,
    run: amend({ compat: '1.1' }),
  },
  {
    name: 'amend-downgrade',
    title: 'Amend: version 3 to 2, with zero clusters',
    on: (shape) => shape.version === 3 && !hasWideCounts(shape) && !isExtended(shape),
    facts: ['header'],
    async before(bench) {
      await withData(bench)
      await bench.guest.writeZeroes(bench.cluster, 2 * bench.cluster)
      await bench.guest.writeZeroes(7 * bench.cluster, bench.cluster)
    },
    run: amend({ compat: '0.10' }),
  },
  {
    name: 'amend-wider-counts',
    title: 'Amend: wider refcounts',
    on: (shape) => isV3(shape) && !hasWideCounts(shape),
    facts: ['header'],
    before: withData,
    run: amend({ refcount_bits: 64 }),
  },
  {
    name: 'amend-narrower-counts',
    title: 'Amend: narrower refcounts',
    on: isV3,
    facts: ['header'],
    before: withData,
    run: amend({ refcount_bits: 1 }),
  },
  {
    name: 'amend-lazy',
    title: 'Amend: lazy refcounts on, then a write',
    on: (shape) => isV3(shape) && !shape.lazy,
    facts: ['header'],
    before: withData,
    async run(bench) {
      await amend({ lazy_refcounts: true })(bench)
      await writeClusters(bench, 7, 2, 2)
    },
  },
  {
    name: 'amend-not-lazy',
    title: 'Amend: lazy refcounts off, after a write',
    on: (shape) => shape.lazy,
    facts: ['header'],
    before: withData,
    async run(bench) {
      await writeClusters(bench, 7, 2, 2)
      await amend({ lazy_refcounts: false })(bench)
    },
  },
  {
    name: 'amend-size',
    title: 'Amend: size',
    facts: ['header'],
    before: withData,
    run: (bench) => amend({ size: 20 * bench.cluster })(bench),
  },
]

/** Clusters that one or both of two snapshots share with the disk, with zeroes among them. */
async function withSnapshots(bench: Bench): Promise<void> {
  await withData(bench)
  if (isV3(bench.shape)) await bench.guest.writeZeroes(bench.cluster, bench.cluster)
  await snapshot(bench, 'one')
  await writeClusters(bench, 3, 4, 2)
  if (isV3(bench.shape)) await bench.guest.writeZeroes(bench.cluster * 2, 2 * bench.cluster)
  await snapshot(bench, 'two')
  await writeClusters(bench, 4, 1, 3)
}

const common = { facts: ['header', 'snapshots'], before: withSnapshots } as const

const overSnapshots: readonly TableEntry[] = [
  {
    ...common,
    name: 'amend-upgrade-snapshots',
    title: 'Amend: version 2 to 3, with internal snapshots',
    on: ({ version }) => version === 2,
    run: amend({ compat: '1.1' }),
  },
  {
    ...common,
    name: 'amend-downgrade-snapshots',
    title: 'Amend: version 3 to 2, with zero clusters that the disk and internal snapshots share',
    on: (shape) => isV3(shape) && !hasWideCounts(shape) && !isExtended(shape) && !shape.lazy,
    run: amend({ compat: '0.10' }),
  },
  {
    ...common,
    name: 'amend-wider-counts-snapshots',
    title: 'Amend: wider refcounts, with internal snapshots',
    on: (shape) => isV3(shape) && !hasWideCounts(shape) && !shape.lazy,
    run: amend({ refcount_bits: 32 }),
  },
  {
    ...common,
    name: 'amend-narrower-counts-snapshots',
    title: 'Amend: narrower refcounts that hold the counts of internal snapshots',
    on: (shape) => isV3(shape) && !shape.lazy,
    run: amend({ refcount_bits: 2 }),
  },
  {
    ...common,
    name: 'amend-size-snapshots',
    title: 'Amend: size, with internal snapshots',
    on: (shape) => isV3(shape) && !shape.lazy,
    run: (bench) => amend({ size: 20 * bench.cluster })(bench),
  },
  {
    name: 'amend-downgrade-backed',
    title: 'Amend: version 3 to 2 over a backing file: zero clusters need clusters of their own',
    on: (shape) => isV3(shape) && !hasWideCounts(shape) && !isExtended(shape) && !shape.lazy,
    backed: true,
    facts: ['header'],
    async before(bench) {
      await withData(bench)
      await bench.guest.writeZeroes(bench.cluster, 2 * bench.cluster)
      await bench.guest.writeZeroes(7 * bench.cluster, bench.cluster)
    },
    run: amend({ compat: '0.10' }),
  },
]

/** Amendments. */
export const amendEntries: readonly TableEntry[] = [...plain, ...overSnapshots]
