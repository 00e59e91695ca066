/** Which operation comes next: chosen at random, so that every kind follows every other. */
import type { Random } from '@blocklayer/block-core/testing'
import type { Layout, Operation, OperationKind, SectorRun } from './operation.ts'

/** What a choice depends on. */
export interface Choices {
  readonly random: Random
  readonly layout: Layout
  /** Sectors of the disk, now. */
  readonly sectors: number
  readonly snapshots: readonly string[]
  readonly bitmaps: readonly string[]
  /** A number that no other operation on the image had; never 0. */
  readonly stamp: number
}

/** How often each kind is chosen. Writes make the state on which the others work. */
const weights: readonly (readonly [OperationKind, number])[] = [
  ['write', 12],
  ['compressed', 3],
  ['zero', 2],
  ['unmap', 3],
  ['discard', 4],
  ['flush', 8],
  ['reopen', 3],
  ['repair', 2],
  ['empty', 1],
  ['commit', 2],
  ['rename backing', 2],
  ['snapshot', 3],
  ['apply', 3],
  ['delete', 4],
  ['add bitmap', 2],
  ['remove bitmap', 2],
  ['resize', 5],
  ['amend', 4],
]

/** Every kind as often as it weighs: one of them is as good as another. */
const urn: readonly OperationKind[] = weights.flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind))

/** The next operation; every one can be done, or is refused by the image without harm. */
export function chooseOperation(choices: Choices): Operation {
  for (;;) {
    const operation = make(choices.random.pick(urn), choices)
    if (operation !== undefined) return operation
  }
}

function make(kind: OperationKind, choices: Choices): Operation | undefined {
  const { random, layout, snapshots, bitmaps, stamp } = choices
  switch (kind) {
    case 'write':
      return { kind, runs: runs(choices, 1), stamp }
    case 'compressed':
      return { kind, runs: oneCluster(choices), stamp }
    case 'zero':
    case 'unmap':
      return { kind, runs: runs(choices, random.pick([1, layout.clusterSectors])) }
    case 'discard':
      // Without zero clusters the backing file shows through, from whatever version the image had at that moment.
      if (layout.backing && layout.compat === '0.10') return undefined
      return { kind, runs: runs(choices, layout.clusterSectors) }
    case 'snapshot':
      return snapshots.length < 2 ? { kind, name: `s${stamp}` } : undefined
    case 'apply':
    case 'delete':
      return snapshots.length > 0 ? { kind, name: random.pick(snapshots) } : undefined
    case 'add bitmap':
      return layout.compat === '1.1' && bitmaps.length < 2 ? { kind, name: `b${stamp}` } : undefined
    case 'remove bitmap':
      return bitmaps.length > 0 ? { kind, name: random.pick(bitmaps) } : undefined
    case 'resize':
      // Past what was there before, so that L1 tables grow as well.
      return { kind, sectors: 8 * (128 + random.below(1024)) }
    case 'amend':
      return { kind, options: amendment(choices) }
    case 'commit':
      // What a snapshot does not hold itself it shows from the backing file, which a commit changes.
      return layout.backing && snapshots.length === 0 ? { kind } : undefined
    case 'rename backing':
      return layout.backing ? { kind } : undefined
    default:
      return { kind }
  }
}

/** One run, or several that do not touch each other, all multiples of `unit` sectors. */
function runs({ random, sectors }: Choices, unit: number): SectorRun[] {
  const units = Math.floor(sectors / unit)
  const count = random.pick([1, 1, 1, 2, 4])
  const share = Math.floor(units / count)
  if (share === 0) return [{ first: 0, count: Math.min(unit, sectors) }]
  return Array.from({ length: count }, (_, i) => {
    const first = i * share + random.below(share)
    const length = Math.min((i + 1) * share - first, 1 + random.below(random.pick([1, 4, 64])))
    return { first: first * unit, count: length * unit }
  })
}

/** A compressed write goes where nothing is yet, and is refused elsewhere: one cluster is written or refused as a whole. */
function oneCluster({ random, sectors, layout }: Choices): SectorRun[] {
  const cluster = layout.clusterSectors
  return [{ first: cluster * random.below(Math.floor(sectors / cluster)), count: cluster }]
}

function amendment({ random, layout }: Choices): Record<string, string> {
  if (layout.compat === '0.10') return { compat: random.pick(['0.10', '1.1']) }
  return random.pick([
    { lazy_refcounts: 'on' },
    { lazy_refcounts: 'off' },
    { refcount_bits: '16' },
    { refcount_bits: '64' },
    { refcount_bits: '8' },
    { compat: layout.backing ? '1.1' : '0.10' },
    { compat: '1.1' },
  ])
}
