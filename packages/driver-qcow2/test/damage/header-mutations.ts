/** Mutations of the header: every field, every feature bit, every extension. */

import { encodeText } from '../../src/format/bytes.ts'
import type { Victim } from './image.ts'
import { type Mutation, mutation, variants } from './mutation.ts'

type Place = (image: Victim) => bigint

/** Where a table may be said to be. */
const places: readonly (readonly [string, Place])[] = [
  ['0', () => 0n],
  ['not aligned', (image) => image.clusters(1) + 8n],
  ['aligned to half a cluster', (image) => image.clusters(1) + image.clusters(1) / 2n],
  ['at the end of the file', (image) => image.end],
  ['far behind the file', (image) => image.end + image.clusters(100)],
  ['at 2^50', () => 1n << 50n],
  ['at 2^62', () => 1n << 62n],
  ['at 2^63', () => 1n << 63n],
  ['at the last offsets there are', () => (1n << 63n) - (1n << 20n)],
  ['in the L1 table', (image) => BigInt(image.l1())],
  ['in the refcount table', (image) => BigInt(image.table())],
  ['in the refcount block', (image) => BigInt(image.block)],
  ['in an L2 table', (image) => BigInt(image.target(image.l1()))],
  ['in guest data', (image) => BigInt(image.target(image.entry('data')))],
]

const store64 =
  (field: number) =>
  (image: Victim, place: Place): Victim =>
    image.set(field, place(image))

const store32 =
  (field: number) =>
  (image: Victim, value: number | ((old: number) => number)): Victim =>
    image.set32(field, value)

const sizes: readonly (readonly [string, Place])[] = [
  ['0', () => 0n],
  ['not a multiple of 512', (image) => image.get(24) - 100n],
  ['one cluster less', (image) => image.get(24) - image.clusters(1)],
  ['more than the L1 table maps', (image) => image.get(24) + image.clusters(image.clusterSize)],
  ['2^55', () => 1n << 55n],
  ['2^63 - 512', () => (1n << 63n) - 512n],
  ['2^64 - 1', () => (1n << 64n) - 1n],
]

const counts: readonly (readonly [string, number | ((old: number) => number)])[] = [
  ['0', 0],
  ['one more', (old) => old + 1],
  ['one less', (old) => old - 1],
  ['20', 20],
  ['65537', 65537],
  ['4194305', 4194305],
  ['2^31', 2 ** 31],
  ['2^32 - 1', 2 ** 32 - 1],
]

const fields: readonly Mutation[] = [
  mutation('magic', (image) => image.set8(3, 0)),
  ...variants(
    'version',
    [
      ['1', 1],
      ['4', 4],
      ['0', 0],
      ['2^32 - 1', 2 ** 32 - 1],
    ] as const,
    store32(4),
  ),
  mutation('version 3 as version 2', (image) => image.set32(4, 2), ['version 3']),
  ...variants(
    'cluster bits',
    [
      ['0', 0],
      ['8', 8],
      ['22', 22],
      ['2^32 - 1', 2 ** 32 - 1],
    ] as const,
    store32(20),
  ),
  ...variants(
    'cluster bits',
    [
      ['one more', (old: number) => old + 1],
      ['one less', (old: number) => old - 1],
    ],
    store32(20),
  ),
  ...variants(
    'backing file offset',
    [
      ['behind the cluster', 1n],
      ['2^63', 1n << 62n],
    ] as const,
    (image, more) => image.set(8, image.clusters(1) + more),
  ),
  mutation('backing file offset inside an extension', (image) => image.set(8, 116n), ['version 3']),
  mutation('backing file name too long', (image) => image.set(8, image.clusters(1) - 8n).set32(16, 2000)),
  mutation('backing file name beyond the cluster', (image) => image.set(8, image.clusters(1) - 8n).set32(16, 9)),
  ...variants('virtual size', sizes, store64(24)),
  mutation('encryption method 3', (image) => image.set32(32, 3)),
  ...variants('L1 size', counts, store32(36)),
  ...variants('L1 table', places, store64(40)),
  ...variants('refcount table', places, store64(48)),
  ...variants('refcount table clusters', counts, store32(56)),
  ...variants('number of snapshots', counts, store32(60), ['snapshots']),
  ...variants('snapshot table', places, store64(64), ['snapshots']),
]

const features: readonly Mutation[] = [
  mutation('dirty', (image) => image.set32(76, 1), ['version 3']),
  mutation('corrupt', (image) => image.set32(76, 2), ['version 3']),
  mutation('dirty and corrupt and a leak', (image) => image.set32(76, 3).countAt(Number(image.end), 1), ['version 3']),
  mutation('incompatible bit 5', (image) => image.set32(76, 32), ['version 3']),
  mutation('incompatible bit 63', (image) => image.set32(72, 2 ** 31), ['version 3']),
  mutation('compression bit without a type', (image) => image.set32(76, 8), ['version 3']),
  mutation('compatible bits', (image) => image.set(80, 0xff00000000ffn), ['version 3']),
  mutation('autoclear bits nobody knows', (image) => image.set(88, (old) => old | 0xff00n), ['version 3']),
  mutation('autoclear bit of a data file', (image) => image.set(88, (old) => old | 2n), ['version 3']),
  mutation('bitmaps not vouched for', (image) => image.set(88, 0n), ['bitmaps']),
  ...variants(
    'refcount order',
    [
      ['0', 0],
      ['2', 2],
      ['3', 3],
      ['5', 5],
      ['7', 7],
      ['2^32 - 1', 2 ** 32 - 1],
    ] as const,
    store32(96),
    ['version 3'],
  ),
  ...variants(
    'header length',
    [
      ['0', 0],
      ['103', 103],
      ['104', 104],
      ['105', 105],
      ['2^32 - 8', 2 ** 32 - 8],
    ] as const,
    store32(100),
    ['version 3'],
  ),
  mutation('header length past the cluster', (image) => image.set32(100, image.clusterSize + 8), ['version 3']),
  mutation('header length of the whole cluster', (image) => image.set32(100, image.clusterSize), ['version 3']),
  ...variants(
    'compression type',
    [
      ['1', 1],
      ['2', 2],
      ['255', 255],
    ] as const,
    (image, value) => image.set8(104, value),
    ['version 3'],
  ),
]

const extensions: readonly Mutation[] = [
  mutation('unknown extension', (image) => image.extend(0x12345678, encodeText('something'))),
  mutation('backing format too long', (image) => image.extend(0xe2792aca, encodeText('sixteen letters!'))),
  mutation('crypto extension without encryption', (image) => image.extend(0x0537be77, new Uint8Array(16))),
  mutation('extension longer than the header', (image) =>
    image.set32(image.extensions().at(-1)!.at, 1).set32(image.extensions()[0]!.at + 4, 2 ** 31),
  ),
  ...variants(
    'bitmaps extension',
    [
      ['of 16 bytes', 16],
      ['of 32 bytes', 32],
    ] as const,
    (image, value) => image.set32(image.bitmapsExtension - 4, value),
    ['bitmaps'],
  ),
  ...variants('number of bitmaps', counts, (image, value) => image.set32(image.bitmapsExtension, value), ['bitmaps']),
  mutation('bitmaps extension with a reserved field', (image) => image.set32(image.bitmapsExtension + 4, 1), [
    'bitmaps',
  ]),
  ...variants('bitmap directory', places, (image, place) => image.set(image.bitmapsExtension + 16, place(image)), [
    'bitmaps',
  ]),
  ...variants(
    'bitmap directory size',
    [
      ['0', 0n],
      ['8', 8n],
      ['24', 24n],
      ['40', 40n],
      ['67107840', 67107840n],
      ['67107841', 67107841n],
      ['2^63', 1n << 63n],
    ] as const,
    (image, value) => image.set(image.bitmapsExtension + 8, value),
    ['bitmaps'],
  ),
]

/** All mutations of the header. */
export const headerMutations: readonly Mutation[] = [...fields, ...features, ...extensions]
