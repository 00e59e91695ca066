/** Mutations of the snapshot table, of the bitmap directory, of bitmap tables, and of the file as a whole. */

import type { Victim } from './image.ts'
import { type Mutation, mutation, variants } from './mutation.ts'

const places: readonly (readonly [string, (image: Victim) => bigint])[] = [
  ['0', () => 0n],
  ['not aligned', (image) => image.clusters(1) + 8n],
  ['in the active L1 table', (image) => BigInt(image.l1())],
  ['in guest data', (image) => BigInt(image.target(image.entry('data')))],
  ['at the end of the file', (image) => image.end],
  ['behind the file', (image) => image.end + image.clusters(10)],
  ['at 2^62', () => 1n << 62n],
  ['at 2^63', () => 1n << 63n],
]

const sizes = [
  ['0', 0],
  ['2', 2],
  ['100', 100],
  ['4194304', 4194304],
  ['4194305', 4194305],
  ['2^32 - 1', 2 ** 32 - 1],
] as const

const inSnapshots: readonly Mutation[] = [
  ...variants('snapshot L1 table', places, (image, place) => image.set(image.snapshots, place(image))),
  ...variants('snapshot L1 size', sizes, (image, value) => image.set32(image.snapshots + 8, value)),
  ...variants(
    'snapshot id length',
    [
      ['0', 0],
      ['100', 100],
      ['65535', 65535],
    ] as const,
    (image, value) => image.set16(image.snapshots + 12, value),
  ),
  ...variants(
    'snapshot name length',
    [
      ['0', 0],
      ['1000', 1000],
      ['65535', 65535],
    ] as const,
    (image, value) => image.set16(image.snapshots + 14, value),
  ),
  ...variants(
    'snapshot extra data',
    [
      ['0', 0],
      ['8', 8],
      ['15', 15],
      ['16', 16],
      ['1024', 1024],
      ['1025', 1025],
      ['2^32 - 1', 2 ** 32 - 1],
    ] as const,
    (image, value) => image.set32(image.snapshots + 36, value),
  ),
  mutation('snapshot disk size', (image) => image.set(image.snapshots + 48, (1n << 63n) + 1n)),
  mutation('snapshot table of zeroes', (image) => image.fill(image.snapshots, 80)),
  mutation('snapshot table of ones', (image) => image.fill(image.snapshots, 80, 0xff)),
  ...variants(
    'snapshot L1 entry',
    [
      ['zero', 0n],
      ['reserved bits', 0x7f000000000001ffn],
      ['ones', (1n << 64n) - 1n],
    ] as const,
    (image, value) => image.set(Number(image.get(image.snapshots)), value),
  ),
  ...variants('snapshot L1 entry', places.slice(2), (image, place) =>
    image.redirect(Number(image.get(image.snapshots)), place(image)),
  ),
].map((each) => ({ ...each, needs: ['snapshots'] as const }))

const inBitmaps: readonly Mutation[] = [
  ...variants('bitmap table', places, (image, place) => image.set(image.directory, place(image))),
  ...variants('bitmap table size', [...sizes, ['134217729', 0x8000001] as const], (image, value) =>
    image.set32(image.directory + 8, value),
  ),
  ...variants(
    'bitmap flags',
    [
      ['in use', 1],
      ['none', 0],
      ['reserved', 4],
      ['all', 2 ** 32 - 1],
    ] as const,
    (image, value) => image.set32(image.directory + 12, value),
  ),
  ...variants(
    'bitmap type',
    [
      ['0', 0],
      ['2', 2],
    ] as const,
    (image, value) => image.set8(image.directory + 16, value),
  ),
  ...variants(
    'bitmap granularity',
    [
      ['8', 8],
      ['10', 10],
      ['32', 32],
      ['255', 255],
    ] as const,
    (image, value) => image.set8(image.directory + 17, value),
  ),
  ...variants(
    'bitmap name length',
    [
      ['0', 0],
      ['1', 1],
      ['1024', 1024],
      ['65535', 65535],
    ] as const,
    (image, value) => image.set16(image.directory + 18, value),
  ),
  ...variants(
    'bitmap extra data',
    [
      ['8', 8],
      ['2^32 - 1', 2 ** 32 - 1],
    ] as const,
    (image, value) => image.set32(image.directory + 20, value),
  ),
  ...variants(
    'bitmap table entry',
    [
      ['zero', 0n],
      ['ones', 1n],
      ['reserved bit 1', 2n],
      ['reserved bit 63', 1n << 63n],
    ] as const,
    (image, value) => image.set(image.bitmapTable, value),
  ),
  ...variants('bitmap table entry', places, (image, place) => image.set(image.bitmapTable, place(image))),
].map((each) => ({ ...each, needs: ['bitmaps'] as const }))

const lengths: readonly (readonly [string, (image: Victim) => number])[] = [
  ...[0, 3, 4, 71, 72, 103, 104, 511, 512].map((bytes) => [`cut to ${bytes} bytes`, () => bytes] as const),
  ['cut to a cluster', (image) => image.clusterSize],
  ['cut at the L1 table', (image) => image.l1()],
  ['cut inside the L1 table', (image) => image.l1() + 4],
  ['cut at the L2 table', (image) => image.target(image.l1())],
  ['cut inside the L2 table', (image) => image.target(image.l1()) + 24],
  ['cut at the refcount table', (image) => image.table()],
  ['cut at the refcount block', (image) => image.block],
  ['cut inside the refcount block', (image) => image.block + 3],
  ['cut in half', (image) => Math.floor(image.bytes.length / 2)],
  ['cut by a byte', (image) => image.bytes.length - 1],
  ['cut by a cluster', (image) => image.bytes.length - image.clusterSize],
  ['cut by three clusters', (image) => image.bytes.length - 3 * image.clusterSize],
  ['longer by a byte', (image) => image.bytes.length + 1],
  ['longer by five clusters', (image) => image.bytes.length + 5 * image.clusterSize],
]

const ofFile: readonly Mutation[] = [
  ...variants('file', lengths, (image, length) => image.resized(length(image))),
  mutation('all but the header is zeroes', (image) => image.fill(image.clusterSize, image.bytes.length)),
  mutation('all but the header is ones', (image) => image.fill(image.clusterSize, image.bytes.length, 0xff)),
  mutation('a hole of three clusters', (image) => image.fill(3 * image.clusterSize, 3 * image.clusterSize)),
  mutation('nothing at all', (image) => image),
]

/** All mutations of what this file is about. */
export const featureMutations: readonly Mutation[] = [...inSnapshots, ...inBitmaps, ...ofFile]
