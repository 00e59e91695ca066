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
  #plan: FaultOptions | undefined
  #seen = 0
  #hit = false

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

  override read(offset: number, into: Uint8Array): void {
    this.#count('read')
    super.read(offset, into)
  }

  override write(offset: number, data: Uint8Array): void {
    this.#count('write')
    super.write(offset, data)
  }

  override zero(offset: number, bytes: number): void {
    this.#count('zero')
    super.zero(offset, bytes)
  }

  override discard(offset: number, bytes: number): void {
    this.#count('discard')
    super.zero(offset, bytes)
  }

  override resize(length: number): void {
    if (!this.growing) this.#count('resize')
    super.resize(length)
  }

  override flush(): void {
    this.#count('flush')
    super.flush()
  }

  #count(kind: FaultKind): void {
    const plan = this.#plan
    if (plan === undefined || !(plan.kinds ?? allButRead).includes(kind)) return
    const seen = this.#seen++
    if (seen === plan.index || (plan.forGood === true && seen > plan.index)) {
      this.#hit = true
      throw BlockError.fromErrno(plan.code ?? 'EIO')
    }
  }
}

/**
 * Runs `attempt` with request 0 failing, then 1, then 2 … until an attempt never reaches its planned request.
 *
 * @param attempt - arms its store with `{ index }` and tells whether the planned request came (`store.hit`)
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
export async function forEachFault(attempt: (index: number) => Promise<boolean>): Promise<number> {
  for (let index = 0; ; index++) if (!(await attempt(index))) return index
}
