/** The part of the operations table that is about chains and repairs: emptying, committing, rebasing, mending. */
import { type BlockBackend, changeBackingFile, createSnapshot, differingRuns, rebaseRuns } from '@blocklayer/block-core'
import { stamped } from '@blocklayer/block-core/testing'
import { commitImage } from '@blocklayer/blockjob'
import { writeClusters } from './guest-operations.ts'
import { openChain } from './qcow2-subject.ts'
import { isSmall } from './shapes.ts'
import { baseSalt, type Bench, otherBaseName, plainOpen, type TableEntry } from './table.ts'

/** Data in the overlay that the base has as well: what a commit leaves before it empties. */
export async function committed(bench: Bench): Promise<void> {
  await writeClusters(bench, 0, 3, baseSalt)
  await writeClusters(bench, 7, 2, baseSalt)
}

/** Empties the overlay. */
export const empty = ({ guest, image }: Bench): Promise<void> => guest.act(() => image.disk.makeEmpty())

/** Data in the overlay that the base does not have. */
export async function commitSource(bench: Bench): Promise<void> {
  await writeClusters(bench, 0, 3, 1)
  await bench.guest.writeZeroes(4 * bench.cluster, bench.cluster)
  await bench.guest.write(6 * bench.cluster + 512, stamped(0, 512, 2))
}

/** Commits the overlay into its base. */
export const commit = ({ guest, image }: Bench): Promise<void> => guest.act(() => commitImage(image.graph, image.disk))

const chainOperations: readonly TableEntry[] = [
  {
    name: 'makeEmpty',
    title: 'Emptying a committed overlay (version 3: the fast way, version 2: the plain one)',
    backed: true,
    before: committed,
    run: empty,
  },
  {
    name: 'makeEmpty-moved-l1',
    title: 'Emptying where data lies in the old place of an L1 table that has moved',
    on: (shape) => isSmall(shape) && shape.version === 3,
    backed: true,
    initialClusters: 12,
    // Over a longer backing file the new space is zeroed, and the L2 table for that takes the old place.
    baseClusters: 12,
    clusters: 4200,
    async before(bench) {
      await writeClusters(bench, 0, 1, baseSalt)
      await bench.image.disk.truncate(4200 * bench.cluster)
      // One by one: the old place of the table is a single cluster, which longer runs would pass over.
      for (const at of [1, 2, 3, 4]) await writeClusters(bench, at, 1, baseSalt)
    },
    run: empty,
  },
  {
    name: 'makeEmpty-snapshot',
    title: 'Emptying the plain way: an internal snapshot shares the clusters',
    backed: true,
    facts: ['snapshots'],
    async before(bench) {
      await committed(bench)
      await createSnapshot(bench.image.disk, { name: 'one', dateSeconds: 5, dateNanoseconds: 6, icount: 0n })
    },
    run: empty,
  },
  {
    name: 'commit',
    title: 'Commit of an overlay into its base, and emptying',
    backed: true,
    before: commitSource,
    run: commit,
  },
  {
    name: 'commit-grows',
    title: 'Commit into a base that is shorter and has hardly anything yet: it grows, and allocates',
    backed: true,
    baseClusters: 4,
    baseDataClusters: 1,
    async before(bench) {
      await writeClusters(bench, 0, 3, 1)
      await writeClusters(bench, 5, 2, 2)
      await bench.guest.writeZeroes(9 * bench.cluster, bench.cluster)
    },
    run: commit,
  },
  {
    name: 'rebase',
    title: 'Rebase: what differs is copied, then the backing file is changed',
    backed: true,
    otherBase: true,
    // A name that is neither of the two would be taken for the old one.
    facts: ['header'],
    before: (bench) => writeClusters(bench, 0, 3, 1),
    run: ({ guest, image }) =>
      guest.act(async () => {
        const other = await openChain(image.disks.slice(2), { ...plainOpen, readOnly: true })
        await copyDifferences(image.disk, other.disk).finally(() => other.close())
        await image.disk.flush()
        await changeBackingFile(image.disk.root, { filename: otherBaseName, format: 'qcow2' })
      }),
  },
]

async function copyDifferences(disk: BlockBackend, other: BlockBackend): Promise<void> {
  for await (const { offset, bytes } of rebaseRuns(disk.root)) {
    const [old, next] = [new Uint8Array(bytes), new Uint8Array(bytes)]
    await disk.read(offset, old)
    await other.read(offset, next)
    for (const run of differingRuns(old, next)) {
      await disk.write(offset + run.offset, old.subarray(run.offset, run.offset + run.bytes))
    }
  }
}

/** Offset of the first L2 table. */
function firstL2(view: DataView): number {
  return Number(view.getBigUint64(Number(view.getBigUint64(40))) & 0x00fffffffffffe00n)
}

const viewOfBytes = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

const repairs: readonly TableEntry[] = [
  {
    name: 'repair-on-open',
    title: 'The repair that opening a dirty image does',
    on: ({ lazy }) => lazy,
    leftOpen: true,
    before: (bench) => writeClusters(bench, 0, 6, 1),
    run: (bench) => writeClusters(bench, 8, 1, 2),
  },
  {
    name: 'repair-rebuild',
    title: 'The repair of a dirty image whose refcount table is empty',
    on: (shape) => shape.version === 3,
    before: (bench) => writeClusters(bench, 0, 6, 1),
    alter: ([image]) => {
      const bytes = image!.slice()
      const view = viewOfBytes(bytes)
      view.setBigUint64(72, view.getBigUint64(72) | 1n)
      view.setBigUint64(Number(view.getBigUint64(48)), 0n)
      return [bytes]
    },
    run: async () => {},
  },
  {
    name: 'repair-leaks',
    title: 'check -r all of an image with leaks',
    before: (bench) => writeClusters(bench, 0, 6, 1),
    alter: ([image]) => {
      const bytes = image!.slice()
      const view = viewOfBytes(bytes)
      for (const entry of [2, 3]) view.setBigUint64(firstL2(view) + 8 * entry, 0n)
      return [bytes]
    },
    run: ({ guest, image }) => guest.act(async () => void (await image.disk.check({ repair: 'all' }))),
  },
]

/** Operations on chains, and repairs. */
export const chainEntries: readonly TableEntry[] = [...chainOperations, ...repairs]
