/** A store whose requests fail at random, and which loses what was not flushed when the power fails. */

import { BlockError, type Errno } from '@blocklayer/block-core/driver'
import { MemoryStore, type Random } from '@blocklayer/block-core/testing'

/** Kinds of requests. */
export type RequestKind = 'read' | 'write' | 'zero' | 'discard' | 'resize' | 'flush'

/** What fails at the moment, for all stores of an image. */
export class Weather {
  readonly #choose: Random
  readonly #tears: boolean
  #probability = 0
  #kinds: readonly RequestKind[] = []
  #code: Errno = 'EIO'
  /** Requests that have failed. */
  failures = 0

  /** @param tears - a write that fails may have reached the disk in part */
  constructor(choose: Random, tears: boolean) {
    this.#choose = choose
    this.#tears = tears
  }

  /** From now on a request of these kinds fails with that probability. */
  storm(probability: number, kinds: readonly RequestKind[], code: Errno): void {
    this.#probability = probability
    this.#kinds = kinds
    this.#code = code
  }

  /** How much of a failed write has reached the disk, in bytes. */
  tornAt(bytes: number): number {
    return this.#tears ? this.#choose.below(Math.floor(bytes / 512) + 1) * 512 : 0
  }

  /** Nothing fails any more. */
  calm(): void {
    this.#probability = 0
  }

  /** @throws BlockError where the request is to fail */
  meet(kind: RequestKind): void {
    if (this.#probability === 0 || !this.#kinds.includes(kind) || !this.#choose.chance(this.#probability)) return
    this.failures++
    throw BlockError.fromErrno(this.#code)
  }
}

/** What was not flushed yet; zeroes and holes are writes. */
type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly data: Uint8Array }
  | { readonly kind: 'resize'; readonly length: number }

/** One file of an image. */
export class TroubledStore extends MemoryStore {
  readonly #weather: Weather
  #durable: MemoryStore
  #pending: Change[] = []

  constructor(content: Uint8Array | number, weather: Weather) {
    super(content)
    this.#weather = weather
    this.#durable = new MemoryStore(content)
  }

  override read(offset: number, into: Uint8Array): void {
    this.#weather.meet('read')
    super.read(offset, into)
  }

  override write(offset: number, data: Uint8Array): void {
    try {
      this.#weather.meet('write')
    } catch (error) {
      const torn = this.#weather.tornAt(data.length)
      if (torn > 0) {
        super.write(offset, data.subarray(0, torn))
        this.#pending.push({ kind: 'write', offset, data: data.slice(0, torn) })
      }
      throw error
    }
    super.write(offset, data)
    this.#pending.push({ kind: 'write', offset, data: data.slice() })
  }

  override zero(offset: number, bytes: number): void {
    this.#weather.meet('zero')
    super.zero(offset, bytes)
    this.#pending.push({ kind: 'write', offset, data: new Uint8Array(bytes) })
  }

  override discard(offset: number, bytes: number): void {
    this.#weather.meet('discard')
    super.zero(offset, bytes)
    this.#pending.push({ kind: 'write', offset, data: new Uint8Array(bytes) })
  }

  override resize(length: number): void {
    if (!this.growing) this.#weather.meet('resize')
    super.resize(length)
    if (!this.growing) this.#pending.push({ kind: 'resize', length })
  }

  override flush(): void {
    this.#weather.meet('flush')
    super.flush()
    for (const change of this.#pending) apply(this.#durable, change)
    this.#pending = []
  }

  /** What a power cut leaves now: what was flushed, and of the rest any sectors. */
  cut(choose: Random): Uint8Array {
    const left = new MemoryStore(this.#durable.bytes())
    const share = choose.pick([0, 0.1, 0.5, 0.9, 1])
    const tears = choose.chance(0.5)
    for (const change of this.#pending) {
      if (change.kind === 'resize' || !tears) {
        if (choose.chance(share)) apply(left, change)
        continue
      }
      for (let at = 0; at < change.data.length; ) {
        const end = Math.min(change.data.length, at + 512 - ((change.offset + at) % 512))
        if (choose.chance(share)) left.write(change.offset + at, change.data.subarray(at, end))
        at = end
      }
    }
    return left.bytes()
  }
}

function apply(store: MemoryStore, change: Change): void {
  if (change.kind === 'resize') store.resize(change.length)
  else store.write(change.offset, change.data)
}
