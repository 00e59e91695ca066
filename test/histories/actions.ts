/** The steps of a history: drawn as bare numbers, and made into an action by what the image is like when they are played. */

import type { Random } from '@blocklayer/block-core/testing'
import type { AllocationRun } from './content.ts'
import type { Layout } from './layout.ts'

/** One action, the same for both sides. Offsets and lengths in bytes. */
export type Action =
  | {
      readonly kind: 'write'
      readonly offset: number
      readonly bytes: number
      readonly pattern: number
      readonly parts: number
    }
  | { readonly kind: 'zeroes'; readonly offset: number; readonly bytes: number; readonly unmap: boolean }
  | { readonly kind: 'discard'; readonly offset: number; readonly bytes: number }
  | { readonly kind: 'compressed'; readonly offset: number; readonly bytes: number; readonly pattern: number }
  | { readonly kind: 'flush' }
  | {
      readonly kind: 'truncate'
      readonly length: number
      readonly preallocation: 'off' | 'metadata' | 'falloc' | 'full'
    }
  | { readonly kind: 'snapshot' | 'apply' | 'delete'; readonly name: string }
  | { readonly kind: 'bitmap add'; readonly name: string; readonly granularity: number; readonly disabled: boolean }
  | { readonly kind: 'bitmap remove' | 'bitmap clear' | 'bitmap enable' | 'bitmap disable'; readonly name: string }
  | { readonly kind: 'bitmap merge'; readonly name: string; readonly source: string }
  | { readonly kind: 'amend'; readonly option: string; readonly value: string }
  | { readonly kind: 'commit' }
  | { readonly kind: 'rebase'; readonly backing: 'b0' | 'b1' | undefined }
  | ({ readonly kind: 'reopen' } & Session)

/** How both sides have the image open. */
export interface Session {
  readonly unmap: boolean
  /** Absent: as the header says. */
  readonly lazyRefcounts?: boolean
  /** Caches so small that tables come and go all the time. */
  readonly tightCaches: boolean
}

/** A step as it was drawn: of use on any image, whatever steps before it were left out. */
export interface Draw {
  readonly kind: Action['kind']
  /** Numbers of 32 bits, for the action to choose by. */
  readonly numbers: readonly number[]
}

const weights: Readonly<Record<Action['kind'], number>> = {
  write: 28,
  zeroes: 10,
  discard: 9,
  compressed: 8,
  flush: 2,
  truncate: 7,
  snapshot: 6,
  apply: 4,
  delete: 4,
  'bitmap add': 3,
  'bitmap remove': 2,
  'bitmap clear': 1,
  'bitmap enable': 1,
  'bitmap disable': 1,
  'bitmap merge': 1,
  amend: 5,
  commit: 3,
  rebase: 2,
  reopen: 5,
}

const weightSum = Object.values(weights).reduce((sum, weight) => sum + weight, 0)

/** `count` steps. */
export function drawSteps(choose: Random, count: number): Draw[] {
  return Array.from({ length: count }, () => {
    const kind = kindAt(choose.below(weightSum))
    return { kind, numbers: Array.from({ length: 6 }, () => choose.below(2 ** 32)) }
  })
}

/** @param at - below the sum of all weights */
function kindAt(at: number): Action['kind'] {
  let rest = at
  for (const [kind, weight] of Object.entries(weights)) {
    if (rest < weight) return kind as Action['kind']
    rest -= weight
  }
  throw new RangeError(`${at} is no place in the table`)
}

/** What a step can choose among. */
export interface View {
  readonly layout: Layout
  /** Bytes. */
  readonly length: number
  /** Names of the internal snapshots; the oldest first. */
  readonly snapshots: readonly string[]
  readonly bitmaps: readonly string[]
  readonly version: number
  readonly session: Session
  /** Some cluster may be flagged as zero and still have its place. */
  readonly zeroesKeptPlace: boolean
  /** What the image itself decides, now. */
  readonly allocation: readonly AllocationRun[]
  /** The step's number: names and patterns come from it. */
  readonly number: number
}

/** What an image with a data file has not. */
const needsOwnData: ReadonlySet<Action['kind']> = new Set(['compressed', 'snapshot', 'apply', 'delete'])

/** The action of a step; `undefined` where it has nothing to act on, or what it would do is a known difference. */
export function actionOf({ kind, numbers }: Draw, view: View): Action | undefined {
  const choose = chooser(numbers)
  if (view.layout.dataFile !== 'none' && needsOwnData.has(kind)) return undefined
  switch (kind) {
    case 'write':
    case 'zeroes':
    case 'discard':
    case 'compressed':
      return guestAction(kind, view, choose)
    case 'truncate':
      return truncateAction(view, choose)
    case 'snapshot':
      return { kind, name: `s${view.number}` }
    case 'apply':
    case 'delete':
      return view.snapshots.length === 0 ? undefined : { kind, name: choose.pick(view.snapshots) }
    case 'amend':
      return amendAction(view, choose)
    case 'rebase':
      return { kind, backing: choose.pick(['b0', 'b1', 'b1', undefined] as const) }
    case 'reopen': {
      const session = { unmap: choose.chance(0.6), tightCaches: choose.chance(0.4) }
      const lazy = view.version >= 3 && choose.chance(0.3) ? { lazyRefcounts: choose.chance(0.5) } : {}
      return { kind, ...session, ...lazy }
    }
    case 'flush':
    case 'commit':
      return { kind }
    default:
      return bitmapAction(kind, view, choose)
  }
}

type Chooser = Pick<Random, 'below' | 'pick' | 'chance'>

/** Takes its numbers from a step: the same on every image, one after the other. */
function chooser(numbers: readonly number[]): Chooser {
  let at = 0
  const next = (): number => numbers[at++ % numbers.length]! / 2 ** 32
  return {
    below: (limit) => Math.floor(next() * limit),
    pick: (values) => values[Math.floor(next() * values.length)]!,
    chance: (probability) => next() < probability,
  }
}

type GuestKind = 'write' | 'zeroes' | 'discard' | 'compressed'

function guestAction(kind: GuestKind, view: View, choose: Chooser): Action {
  const { length, number, layout } = view
  const { clusterSize } = layout
  const pattern = 1 + ((number * 37) % 255)
  const clusters = Math.ceil(length / clusterSize)
  const wholeClusters = kind === 'compressed' || choose.chance(0.4)
  let offset: number
  let bytes: number
  if (wholeClusters) {
    offset = choose.below(clusters) * clusterSize
    bytes = (1 + choose.below(choose.chance(0.2) ? Math.min(clusters, 24) : 3)) * clusterSize
  } else {
    // Now and then odd bytes; mostly sectors.
    const unit = kind === 'write' && choose.chance(0.2) ? 1 : 512
    offset = choose.below(length / unit) * unit
    bytes = (1 + choose.below((2 * clusterSize) / unit)) * unit
  }
  // Where one of several clusters cannot be compressed, it is left to chance which others have been written.
  const isTaken = kind === 'compressed' && !view.allocation.every((run) => !run.allocated || !meets(run, offset, bytes))
  bytes = Math.min(isTaken ? clusterSize : bytes, length - offset)
  if (kind === 'write') return { kind, offset, bytes, pattern, parts: choose.chance(0.3) ? 3 : 1 }
  if (kind === 'zeroes') return { kind, offset, bytes, unmap: choose.chance(0.5) }
  return kind === 'discard' ? { kind, offset, bytes } : { kind, offset, bytes, pattern }
}

function meets(run: AllocationRun, offset: number, bytes: number): boolean {
  return run.start < offset + bytes && offset < run.start + run.bytes
}

function truncateAction({ layout, length }: View, choose: Chooser): Action | undefined {
  const { clusterSize, resizes } = layout
  if (resizes === 'never') return undefined
  const unit = resizes === 'growth only' ? 512 : clusterSize
  // Neither without end nor down to nothing.
  const most = layout.length * 2
  const change = (1 + choose.below(Math.max(1, layout.length / 3 / unit))) * unit
  const shrinks = resizes === 'whole clusters' && (length + change > most || choose.chance(0.4))
  const preallocation = shrinks
    ? 'off'
    : choose.pick(['off', 'off', 'off', 'off', 'off', 'metadata', 'metadata', 'falloc', 'full'] as const)
  const next = shrinks ? Math.max(unit, length - change) : length + change
  if (next > most || next === length) return undefined
  // The cluster that the disk ends in becomes data as a whole in the reference, over a backing file (docs/differences.md).
  const copies = layout.extendedL2 && length % clusterSize !== 0 && ['falloc', 'full'].includes(preallocation)
  return { kind: 'truncate', length: next, preallocation: copies ? 'metadata' : preallocation }
}

function amendAction(
  { layout, version, session, bitmaps, snapshots, zeroesKeptPlace }: AmendView,
  choose: Chooser,
): Action | undefined {
  const options = ['compat', 'refcount_bits', 'refcount_bits', 'lazy_refcounts']
  const option = choose.pick(layout.dataFile === 'none' ? options : [...options, 'data_file_raw'])
  if (option === 'compat') {
    if (version >= 3) {
      // Bitmaps are lost in the reference, and zeroes overwrite what snapshots show (docs/differences.md).
      if (bitmaps.length > 0 || (snapshots.length > 0 && zeroesKeptPlace)) return undefined
      // A session that asks for them cannot open version 2.
      if (session.lazyRefcounts !== undefined) return undefined
      return { kind: 'amend', option, value: '0.10' }
    }
    return { kind: 'amend', option, value: '1.1' }
  }
  // The reference takes minutes for larger ones.
  if (option === 'refcount_bits' && layout.clusterSize > 4096) return undefined
  const value = option === 'refcount_bits' ? String(2 ** choose.below(7)) : choose.pick(['on', 'off'])
  return { kind: 'amend', option, value }
}

type AmendView = Pick<View, 'layout' | 'version' | 'session' | 'bitmaps' | 'snapshots' | 'zeroesKeptPlace'>

/** Refcount bits up to which a history can fill the counts of an image. */
const narrowBits = 4

/** Whether the counts of the image are narrow, or become so by one of the steps. */
export function narrowsCounts(layout: Layout, draws: readonly Draw[]): boolean {
  const session = { unmap: true, tightCaches: false }
  const view = { layout, version: 3, session, bitmaps: [], snapshots: [], zeroesKeptPlace: false }
  const widths = draws.map(({ kind, numbers }) => {
    const action = kind === 'amend' ? amendAction(view, chooser(numbers)) : undefined
    return action?.kind === 'amend' && action.option === 'refcount_bits' ? Number(action.value) : narrowBits + 1
  })
  return Math.min(layout.refcountBits, ...widths) <= narrowBits
}

type BitmapKind = Extract<Action['kind'], `bitmap ${string}`>

function bitmapAction(kind: BitmapKind, view: View, choose: Chooser): Action | undefined {
  if (kind === 'bitmap add') {
    const granularity = choose.pick([512, 4096, 65536])
    return { kind, name: `m${view.number}`, granularity, disabled: choose.chance(0.2) }
  }
  if (view.bitmaps.length === 0) return undefined
  const name = choose.pick(view.bitmaps)
  return kind === 'bitmap merge' ? { kind, name, source: choose.pick(view.bitmaps) } : { kind, name }
}
