/** A store that remembers what was not flushed, and shows every state that a power cut could leave. */

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
  readonly store: MemoryStore
}

/**
 * A store with a memory of its changes since it was made.
 *
 * A crash state is: all that was flushed, plus any subset of what was not.
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

  /**
   * All crash states of the history, where an interval has few changes; otherwise a sample that always has none, all,
   * each one alone, all but one, and every prefix.
   *
   * @param options.exhaustive - intervals of up to this many changes are enumerated; default 10 (1024 states)
   * @param options.samples - random subsets of longer intervals; default 64
   */
  *crashStates(options: { seed?: number; exhaustive?: number; samples?: number } = {}): Generator<CrashState> {
    const durable = new MemoryStore(this.#start)
    for (const [index, { changes }] of this.#intervals.entries()) {
      const masks = subsets(changes.length, options)
      for (const mask of masks) {
        const store = new MemoryStore(durable.bytes())
        const kept = changes.flatMap((change, i) => {
          if (mask[i] !== true) return []
          apply(store, change)
          return [i]
        })
        yield { name: `${index}:${kept.join(',')}`, store }
      }
      for (const change of changes) apply(durable, change)
    }
  }
}

function apply(store: MemoryStore, change: Change): void {
  if (change.kind === 'write') store.write(change.offset, change.data)
  else if (change.kind === 'zero') store.zero(change.offset, change.bytes)
  else store.resize(change.length)
}

function subsets(count: number, options: { seed?: number; exhaustive?: number; samples?: number }): boolean[][] {
  const bits = Array.from({ length: count }, (_, i) => i)
  if (count <= (options.exhaustive ?? 10)) {
    return Array.from({ length: 2 ** count }, (_, mask) => bits.map((i) => (mask >> i) % 2 === 1))
  }
  const choose = random(options.seed ?? 1)
  const chosen = [
    bits.map(() => false),
    bits.map(() => true),
    ...bits.map((one) => bits.map((i) => i === one)),
    ...bits.map((one) => bits.map((i) => i !== one)),
    ...bits.map((end) => bits.map((i) => i <= end)),
  ]
  for (let i = 0; i < (options.samples ?? 64); i++) chosen.push(bits.map(() => choose.chance(0.5)))
  return chosen
}
