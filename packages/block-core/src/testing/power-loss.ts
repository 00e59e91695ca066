/** A store that remembers what was not flushed, and shows every state that a power cut could leave. */

import { alignDown } from '../util/align.ts'
import { MemoryStore } from './memory-driver.ts'
import { random } from './seed.ts'

/** One change of the store; `data` is absent for zeroes. */
type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly data: Uint8Array }
  | { readonly kind: 'zero'; readonly offset: number; readonly bytes: number }
  | { readonly kind: 'resize'; readonly length: number }

/** Changes between two flushes: any subset of them may have reached the disk when the power fails. */
interface Interval {
  readonly changes: Change[]
}

/** One state that a power cut could leave. */
export interface CrashState {
  /** Names the state: interval and kept changes, `2:0,3`. */
  readonly name: string
  /** Between which flushes the power failed: 0 before the first. Compare with `PowerLossStore.currentInterval`. */
  readonly interval: number
  /** A store of its own. */
  readonly store: MemoryStore
}

/** Which crash states are shown. */
export interface CrashStateOptions {
  /** Chooses the sample of long intervals; default 1. */
  readonly seed?: number
  /** Intervals of up to this many changes are enumerated; default 10 (1024 states). */
  readonly exhaustive?: number
  /** Random subsets of longer intervals; default 64. */
  readonly samples?: number
  /** Only intervals from this one on; default 0. */
  readonly from?: number
  /**
   * A request is torn into pieces of so many bytes at multiples of it (512: sectors), each of which may be lost alone.
   * Default: a request is atomic.
   */
  readonly tear?: number
}

/**
 * A store with a memory of its changes since it was made.
 *
 * A crash state is: all that was flushed, plus any subset of what was not.
 *
 * @example
 * import { createBlockGraph } from '@blocklayer/block-core'
 * import { memory, PowerLossStore } from '@blocklayer/block-core/testing'
 *
 * const store = new PowerLossStore(4096)
 * const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
 * const disk = await graph.open(memory(store))
 * await disk.write(0, new Uint8Array(512).fill(1))
 * await disk.flush()
 * const flushed = store.currentInterval
 * await disk.write(512, new Uint8Array(512).fill(2))
 * for (const state of store.crashStates({ from: flushed })) {
 *   if (state.store.bytes()[0] !== 1) throw new Error(`${state.name}: flushed data was lost`)
 * }
 * await graph.close()
 */
export class PowerLossStore extends MemoryStore {
  readonly #start: Uint8Array
  readonly #intervals: Interval[] = [{ changes: [] }]

  constructor(content: Uint8Array | number = 0) {
    super(content)
    this.#start = this.bytes()
  }

  override write(offset: number, data: Uint8Array): void {
    super.write(offset, data)
    this.#record({ kind: 'write', offset, data: data.slice() })
  }

  override zero(offset: number, bytes: number): void {
    super.zero(offset, bytes)
    this.#record({ kind: 'zero', offset, bytes })
  }

  override resize(length: number): void {
    const changed = length !== this.length
    super.resize(length)
    if (changed && !this.#inWrite) this.#record({ kind: 'resize', length })
  }

  override flush(): void {
    super.flush()
    if (this.#last.changes.length > 0) this.#intervals.push({ changes: [] })
  }

  /** Growing is part of the write that grows: recorded once. */
  get #inWrite(): boolean {
    return this.growing
  }

  get #last(): Interval {
    return this.#intervals[this.#intervals.length - 1]!
  }

  #record(change: Change): void {
    this.#last.changes.push(change)
  }

  /** The interval that goes on now: a cut from here on leaves a state of this interval or a later one. */
  get currentInterval(): number {
    return this.#intervals.length - 1
  }

  /**
   * All crash states of the history, where an interval has few changes; otherwise a sample that always has none, all,
   * each one alone, all but one, and every prefix (of more than 32 changes: of every so many-th).
   */
  *crashStates(options: CrashStateOptions = {}): Generator<CrashState> {
    const durable = new MemoryStore(this.#start)
    for (const [interval, { changes: whole }] of this.#intervals.entries()) {
      const { tear } = options
      const changes = tear === undefined ? whole : whole.flatMap((change) => pieces(change, tear))
      const masks = interval < (options.from ?? 0) ? [] : subsets(changes.length, options)
      for (const mask of masks) {
        const store = new MemoryStore(durable.bytes())
        const kept = changes.flatMap((change, i) => {
          if (mask[i] !== true) return []
          apply(store, change)
          return [i]
        })
        yield { name: `${interval}:${kept.join(',')}`, interval, store }
      }
      for (const change of changes) apply(durable, change)
    }
  }
}

/** What of a change can reach the disk alone. */
function pieces(change: Change, size: number): Change[] {
  if (change.kind === 'resize') return [change]
  const { offset } = change
  const end = offset + (change.kind === 'write' ? change.data.length : change.bytes)
  const cuts: Change[] = []
  for (let at = offset; at < end; ) {
    const next = Math.min(end, alignDown(at, size) + size)
    if (change.kind === 'zero') cuts.push({ kind: 'zero', offset: at, bytes: next - at })
    else cuts.push({ kind: 'write', offset: at, data: change.data.subarray(at - offset, next - offset) })
    at = next
  }
  return cuts
}

function apply(store: MemoryStore, change: Change): void {
  if (change.kind === 'write') store.write(change.offset, change.data)
  else if (change.kind === 'zero') store.zero(change.offset, change.bytes)
  else store.resize(change.length)
}

function subsets(count: number, options: CrashStateOptions): boolean[][] {
  const bits = Array.from({ length: count }, (_, i) => i)
  if (count <= (options.exhaustive ?? 10)) {
    return Array.from({ length: 2 ** count }, (_, mask) => bits.map((i) => (mask >> i) % 2 === 1))
  }
  const choose = random(options.seed ?? 1)
  // Torn requests make thousands of pieces: then every so many-th is looked at, beginning somewhere.
  const step = Math.ceil(count / 32)
  const start = step === 1 ? 0 : choose.below(step)
  const some = bits.filter((i) => i % step === start)
  const chosen = [
    bits.map(() => false),
    bits.map(() => true),
    ...some.map((one) => bits.map((i) => i === one)),
    ...some.map((one) => bits.map((i) => i !== one)),
    ...some.map((end) => bits.map((i) => i <= end)),
  ]
  for (let i = 0; i < (options.samples ?? 64); i++) chosen.push(bits.map(() => choose.chance(0.5)))
  return chosen
}
