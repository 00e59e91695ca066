/** Writes that are under way: who must wait for whom while the metadata lock is free. */

import type { GuestOffset } from '../format/geometry.ts'

/** A write under way, from its planning to its linking. */
export interface PendingWrite {
  /** First guest byte that it concerns: of the clusters it touches, or of the subclusters where those stay in place. */
  readonly start: GuestOffset
  /** End of the clusters, or subclusters, that it touches. */
  readonly end: number
  /** It will change L2 entries: the clusters' old ones must not be planned with any more. */
  readonly allocates: boolean
}

/**
 * The list of writes under way. There are few at a time, so that a plain array serves.
 *
 * A write that allocates keeps other writes off its clusters until its entries are linked: two allocations for one
 * guest cluster would lose the data of one of them. Every write keeps discards off its clusters: a host cluster that is
 * given up while data is on its way to it could belong to another guest cluster when the data arrives.
 *
 * @see QEMU 7.2 block/qcow2-cluster.c: handle_dependencies
 */
export class InFlightWrites {
  readonly #writes: PendingWrite[] = []
  readonly #waiters: { readonly start: number; readonly end: number; readonly wake: () => void }[] = []

  get isEmpty(): boolean {
    return this.#writes.length === 0
  }

  add(write: PendingWrite): void {
    this.#writes.push(write)
  }

  /** Ends `write` and wakes who waited for its range. */
  remove(write: PendingWrite): void {
    const at = this.#writes.indexOf(write)
    if (at >= 0) this.#writes.splice(at, 1)
    for (let index = this.#waiters.length - 1; index >= 0; index--) {
      const waiter = this.#waiters[index]!
      if (waiter.start >= write.end || write.start >= waiter.end) continue
      this.#waiters.splice(index, 1)
      waiter.wake()
    }
  }

  /** How many of `bytes` bytes from `start` on lie before the first cluster that is being allocated; 0: the first is. */
  clip(start: number, bytes: number): number {
    let clipped = bytes
    for (const write of this.#writes) {
      if (!write.allocates || start >= write.end || write.start >= start + clipped) continue
      clipped = Math.max(0, write.start - start)
    }
    return clipped
  }

  /** Whether some write touches a cluster of the range. */
  touches(start: number, end: number): boolean {
    return this.#writes.some((write) => write.start < end && start < write.end)
  }

  /** Resolves when the next write that touches the range has ended; the caller looks again then. */
  wait(start: number, end: number): Promise<void> {
    return new Promise((wake) => this.#waiters.push({ start, end, wake }))
  }
}
