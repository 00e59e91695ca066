/** Mutations of what maps the guest's clusters: L1 entries, and L2 entries of every kind. */

import { copied, type EntryKind, type Victim } from './image.ts'
import type { Part } from './bases.ts'
import { type Mutation, mutation, variants } from './mutation.ts'

type Change = (old: bigint) => bigint

const flip =
  (bit: number): Change =>
  (old) =>
    old ^ (1n << BigInt(bit))

const zero: Change = () => 0n

/** Where an entry may be made to point. */
const targets: readonly (readonly [string, (image: Victim) => bigint])[] = [
  ['at the header', () => 0n],
  ['into a cluster', (image) => BigInt(image.target(image.entry('data', 1))) + 512n],
  ['at the L1 table', (image) => BigInt(image.l1())],
  ['at the L2 table', (image) => BigInt(image.target(image.l1()))],
  ['at the refcount table', (image) => BigInt(image.table())],
  ['at the refcount block', (image) => BigInt(image.block)],
  ['at guest data', (image) => BigInt(image.target(image.entry('data', 1)))],
  ['at the last cluster', (image) => image.end - image.clusters(1)],
  ['at the end of the file', (image) => image.end],
  ['behind the file', (image) => image.end + image.clusters(10)],
  ['at 2^52', () => 1n << 52n],
]

const inL1: readonly Mutation[] = [
  ...variants(
    'L1 entry',
    [
      ['zero', zero],
      ['bit 0', flip(0)],
      ['bit 8', flip(8)],
      ['bit 9', flip(9)],
    ] as const,
    change,
  ),
  ...variants(
    'L1 entry',
    [
      ['bit 56', flip(56)],
      ['bit 62', flip(62)],
      ['COPIED', flip(63)],
    ] as const,
    change,
  ),
  ...variants('L1 entry', targets, (image, target) => image.redirect(image.l1(), target(image))),
  mutation('two L1 entries name one table', (image) => image.set(image.l1(1), image.get(image.l1())), ['two tables']),
  mutation('L1 entries swapped', (image) => swap(image, image.l1(), image.l1(1)), ['two tables']),
  mutation('second L1 entry zero', (image) => image.set(image.l1(1), 0n), ['two tables']),
]

function change(image: Victim, what: Change): Victim {
  return image.set(image.l1(), what)
}

function swap(image: Victim, one: number, other: number): Victim {
  const kept = image.get(one)
  return image.set(one, image.get(other)).set(other, kept)
}

const bits: readonly (readonly [string, Change])[] = [
  ['zero', zero],
  ['bit 0', flip(0)],
  ['bit 1', flip(1)],
  ['bit 8', flip(8)],
  ['bit 9', flip(9)],
  ['bit 56', flip(56)],
  ['bit 61', flip(61)],
  ['bit 62', flip(62)],
  ['COPIED', flip(63)],
]

/** Mutations of the first L2 entry of a kind. */
function ofEntry(kind: EntryKind, needs: readonly Part[]): Mutation[] {
  return [
    ...variants(`${kind} entry`, bits, (image, what) => image.set(image.entry(kind), what), needs),
    ...variants(`${kind} entry`, targets, (image, target) => image.redirect(image.entry(kind), target(image)), needs),
  ]
}

const compressed: readonly Mutation[] = [
  ...variants('compressed entry', bits, (image, what) => image.set(image.entry('compressed'), what)),
  mutation('compressed entry of all the sectors there can be', (image) => {
    const shift = BigInt(62 - (image.header.clusterBits - 8))
    return image.set(image.entry('compressed'), (old) => old | (((1n << 62n) - 1n) ^ ((1n << shift) - 1n)))
  }),
  ...variants('compressed entry', targets, (image, target) => {
    const shift = BigInt(62 - (image.header.clusterBits - 8))
    return image.set(image.entry('compressed'), (old) => ((old >> shift) << shift) | (target(image) + 5n))
  }),
  mutation('two compressed entries name the same bytes', (image) =>
    image.set(image.entry('none'), image.get(image.entry('compressed'))),
  ),
  mutation('compressed entry where data is', (image) => swap(image, image.entry('compressed'), image.entry('data'))),
]

const others: readonly Mutation[] = [
  mutation('two data entries name one cluster', (image) =>
    image.set(image.entry('data'), image.get(image.entry('data', 1))),
  ),
  mutation('three more entries name a cluster', (image) => {
    const entry = image.get(image.entry('data', 1))
    for (let times = 0; times < 3; times++) image.set(image.entry('none'), entry)
    return image
  }),
  mutation('data entries swapped', (image) => swap(image, image.entry('data'), image.entry('data', 2))),
  ...variants(
    'free entry',
    [
      ['COPIED', copied],
      ['bit 1', 2n],
      ['bit 61', 1n << 61n],
      ['all ones', (1n << 64n) - 1n],
    ] as const,
    (image, value) => image.set(image.entry('none'), value),
  ),
  mutation('plain zero COPIED', (image) => image.set(image.entry('zero'), copied | 1n), ['zeroes']),
  mutation('L2 table of zeroes', (image) => image.fill(image.target(image.l1()), image.clusterSize)),
  mutation('L2 table of ones', (image) => image.fill(image.target(image.l1()), image.clusterSize, 0xff)),
  mutation('L1 table of ones', (image) => image.fill(image.l1(), 8 * image.header.l1Size, 0xff)),
]

/** All mutations of the mapping. */
export const mappingMutations: readonly Mutation[] = [
  ...inL1,
  ...ofEntry('data', []),
  ...ofEntry('zero-alloc', ['zeroes']),
  ...compressed,
  ...others,
]
