/** Fails one chosen request of a store, so that an operation can be tried with its first, second, third … request failing. */

import { BlockError, type Errno } from '../errors.ts'
import { MemoryStore } from './memory-driver.ts'

/** Kinds of requests that can fail. */
export type FaultKind = 'read' | 'write' | 'zero' | 'discard' | 'resize' | 'flush'

const allButRead: readonly FaultKind[] = ['write', 'zero', 'discard', 'resize', 'flush']

/** Which request fails, and how. */
export interface FaultOptions {
  /** Counts from 0 over the requests of the chosen kinds, once `arm` was called. */
  readonly index: number
  /** What the request fails with: `EIO` (the default), `ENOSPC` … */
  readonly code?: Errno
  /** Kinds that count; default: all but `read`. */
  readonly kinds?: readonly FaultKind[]
  /** All later requests fail too; default false. */
  readonly forGood?: boolean
}

/** Counts requests, of one store or of several together, and fails the planned one. */
export class FaultCounter {
  #plan: FaultOptions | undefined
  #seen = 0
  #hit = false
  #quiet = 0

  /** Whether the planned request came, since the last `arm`; still known after `disarm`. */
  get hit(): boolean {
    return this.#hit
  }

  /** Begins to count. */
  arm(plan: FaultOptions): void {
    this.#plan = plan
    this.#seen = 0
    this.#hit = false
  }

  /** Lets everything pass again. */
  disarm(): void {
    this.#plan = undefined
  }

  /** Runs `act` with no request counted and none failing: for whoever only looks. */
  async quietly<Result>(act: () => Promise<Result>): Promise<Result> {
    this.#quiet++
    try {
      return await act()
    } finally {
      this.#quiet--
    }
  }

  /** A request of this kind comes. @throws BlockError with the plan's code if it is to fail */
  count(kind: FaultKind): void {
    const plan = this.#plan
    if (plan === undefined || this.#quiet > 0 || !(plan.kinds ?? allButRead).includes(kind)) return
    const seen = this.#seen++
    if (seen === plan.index || (plan.forGood === true && seen > plan.index)) {
      this.#hit = true
      throw BlockError.fromErrno(plan.code ?? 'EIO')
    }
  }
}

/**
 * A store with one planned failure.
 *
 * @example
 * import { FaultStore } from '@blocklayer/block-core/testing'
 *
 * const store = new FaultStore(4096)
 * store.arm({ index: 1, code: 'ENOSPC', kinds: ['write', 'flush'] })
 * store.write(0, new Uint8Array(512))
 * try {
 *   store.write(512, new Uint8Array(512))
 * } catch (error) {
 *   console.log(error, store.hit)
 * }
 */
export class FaultStore extends MemoryStore {
  readonly #counter: FaultCounter

  /** @param counter - shared by stores whose requests are counted together; default: one of its own */
  constructor(content: Uint8Array | number = 0, counter: FaultCounter = new FaultCounter()) {
    super(content)
    this.#counter = counter
  }

  /** Whether the planned request came, since the last `arm`; still known after `disarm`. */
  get hit(): boolean {
    return this.#counter.hit
  }

  /** Begins to count. */
  arm(plan: FaultOptions): void {
    this.#counter.arm(plan)
  }

  /** Lets everything pass again. */
  disarm(): void {
    this.#counter.disarm()
  }

  override read(offset: number, into: Uint8Array): void {
    this.#counter.count('read')
    super.read(offset, into)
  }

  override write(offset: number, data: Uint8Array): void {
    this.#counter.count('write')
    super.write(offset, data)
  }

  override zero(offset: number, bytes: number): void {
    this.#counter.count('zero')
    super.zero(offset, bytes)
  }

  override discard(offset: number, bytes: number): void {
    this.#counter.count('discard')
    super.zero(offset, bytes)
  }

  override resize(length: number): void {
    if (!this.growing) this.#counter.count('resize')
    super.resize(length)
  }

  override flush(): void {
    this.#counter.count('flush')
    super.flush()
  }
}

/**
 * Runs `attempt` with request 0 failing, then 1, then 2 … until an attempt never reaches its planned request.
 *
 * @param attempt - arms its store with the plan and tells whether the planned request came (`store.hit`)
 * @param variants - each of them is gone through from request 0 on; default: one, `EIO`, once, everything but reads
 * @returns how many requests were made to fail
 *
 * @example
 * import { createBlockGraph } from '@blocklayer/block-core'
 * import { FaultStore, forEachFault, memory } from '@blocklayer/block-core/testing'
 *
 * const requests = await forEachFault(async (index) => {
 *   const store = new FaultStore(4096)
 *   const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
 *   const disk = await graph.open(memory(store))
 *   store.arm({ index })
 *   const failed = await disk.write(0, new Uint8Array(512)).then(
 *     () => false,
 *     () => true,
 *   )
 *   if (failed !== store.hit) throw new Error('a failure was kept quiet')
 *   store.disarm()
 *   await graph.close()
 *   return store.hit
 * })
 * console.log(requests)
 */
export async function forEachFault(
  attempt: (index: number, plan: FaultOptions) => Promise<boolean>,
  variants: readonly FaultVariant[] = [{}],
): Promise<number> {
  let requests = 0
  for (const variant of variants) {
    for (let index = 0; await attempt(index, { ...variant, index }); index++) requests++
  }
  return requests
}

/** A plan for whichever request. */
export type FaultVariant = Omit<FaultOptions, 'index'>

/** What can go wrong with a file: reads, writes (of data, of zeroes, discards), flushes and resizes, once and for good. */
export const faultVariants: readonly FaultVariant[] = (['EIO', 'ENOSPC'] as const).flatMap((code) =>
  [false, true].flatMap((forGood) =>
    ([['read'], ['write', 'zero', 'discard'], ['flush'], ['resize']] as const).map((kinds) => ({
      code,
      forGood,
      kinds,
    })),
  ),
)
