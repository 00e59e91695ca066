/** Mutations of refcounts: of the table, of blocks, and of the count of every kind of cluster. */

import type { Victim } from './image.ts'
import type { Part } from './bases.ts'
import { type Mutation, mutation, variants } from './mutation.ts'

type Change = (image: Victim, old: bigint) => bigint

const changes: readonly (readonly [string, Change])[] = [
  ['zero', () => 0n],
  ['bit 0', (_image, old) => old | 1n],
  ['bit 8', (_image, old) => old | 256n],
  ['not aligned', (_image, old) => old + 512n],
  ['at the L1 table', (image) => BigInt(image.l1())],
  ['at the refcount table', (image) => BigInt(image.table())],
  ['at guest data', (image) => BigInt(image.target(image.entry('data')))],
  ['at the last cluster', (image) => image.end - image.clusters(1)],
  ['at the end of the file', (image) => image.end],
  ['behind the file', (image) => image.end + image.clusters(10)],
  ['at 2^62', () => 1n << 62n],
  ['at 2^63', () => 1n << 63n],
]

const inTable: readonly Mutation[] = [
  ...variants('refcount table entry', changes, (image, change) =>
    image.set(image.table(), change(image, image.get(image.table()))),
  ),
  ...variants('free refcount table entry', changes.slice(1), (image, change) =>
    image.set(image.table(5), change(image, 0n)),
  ),
  mutation('two refcount table entries name one block', (image) => image.set(image.table(3), image.get(image.table()))),
  mutation('last refcount table entry', (image) => {
    const { refcountTableClusters } = image.header
    return image.set(image.table((refcountTableClusters * image.clusterSize) / 8 - 1), image.end)
  }),
]

/** Clusters whose counts are changed, one of every kind. */
const kinds: readonly (readonly [string, (image: Victim) => number, readonly Part[]])[] = [
  ['the header', () => 0, []],
  ['the L1 table', (image) => image.l1(), []],
  ['an L2 table', (image) => image.target(image.l1()), []],
  ['guest data', (image) => image.target(image.entry('data')), []],
  ['an allocated zero', (image) => image.target(image.entry('zero-alloc')), ['zeroes']],
  ['compressed data', (image) => Number(image.get(image.entry('compressed')) & ((1n << 49n) - 1n)), ['compressed']],
  ['the refcount table', (image) => image.table(), []],
  ['the refcount block', (image) => image.block, []],
  ['the snapshot table', (image) => image.snapshots, ['snapshots']],
  ['a snapshot L1 table', (image) => Number(image.get(image.snapshots)), ['snapshots']],
  ['the bitmap directory', (image) => image.directory, ['bitmaps']],
  ['a bitmap table', (image) => image.bitmapTable, ['bitmaps']],
  ['bitmap data', (image) => image.target(image.bitmapTable), ['bitmaps']],
]

const values: readonly (readonly [string, number])[] = [
  ['0', 0],
  ['3', 3],
  ['the maximum', Number.POSITIVE_INFINITY],
]

const counts = kinds.flatMap(([kind, place, needs]) =>
  variants(`count of ${kind}`, values, (image, value) => image.countAt(place(image), value), needs),
)

const inBlock: readonly Mutation[] = [
  mutation('count behind the file', (image) => image.countAt(Number(image.end), 1)),
  mutation('refcount block of zeroes', (image) => image.fill(image.block, image.clusterSize)),
  mutation('refcount block of ones', (image) => image.fill(image.block, image.clusterSize, 0xff)),
  mutation('refcount block of text', (image) => image.fill(image.block, image.clusterSize, 0x55)),
  mutation('refcount table of zeroes', (image) => image.fill(image.table(), image.clusterSize)),
  mutation('refcount table of ones', (image) => image.fill(image.table(), image.clusterSize, 0xff)),
]

/** All mutations of refcounts. */
export const refcountMutations: readonly Mutation[] = [...inTable, ...counts, ...inBlock]
