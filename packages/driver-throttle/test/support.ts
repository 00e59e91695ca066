/** What the tests of this package share: a clock that stands still, throttled disks, and the reference. */

import { spawnSync } from 'node:child_process'
import { type BlockBackend, createBlockGraph } from '@blocklayer/block-core'
import { type MemoryStore, memory } from '@blocklayer/block-core/testing'
import { onTestFinished } from 'vitest'
import { type Clock, type ThrottleGroup, throttle } from '../src/index.ts'

/** Time that passes only in `advance`. */
export class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ readonly at: number; readonly wake: () => void }>()

  now(): number {
    return this.#now
  }

  setTimer(delay: number, wake: () => void): () => void {
    const timer = { at: this.#now + delay, wake }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.size
  }

  /** Lets time pass without a look at the timers: a busy host is late. */
  lag(milliseconds: number): void {
    this.#now += milliseconds
  }

  /** Lets time pass: timers run when they are due, and so does what they wake. */
  async advance(milliseconds: number): Promise<void> {
    // What was asked for before begins before.
    await settled()
    const end = this.#now + milliseconds
    for (;;) {
      const due = [...this.#timers].sort((a, b) => a.at - b.at)[0]
      if (due === undefined || due.at > end) break
      this.#now = Math.max(this.#now, due.at)
      this.#timers.delete(due)
      due.wake()
      await settled()
    }
    this.#now = end
    await settled()
  }
}

/** Resolves when everything that could go on has done so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Opens `store` through `group`, in a graph that closes with the test. */
export function openThrottled(store: MemoryStore, group: ThrottleGroup): Promise<BlockBackend> {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  onTestFinished(() => graph.close())
  return graph.open(throttle({ group, file: memory(store) }), { unmap: true })
}

/** Whether the tests that ask the reference must be left out: nothing to ask, and not in CI. */
export const withoutReference: boolean = !process.env.CI && spawnSync('qemu-io', ['--version']).error !== undefined

/** What the reference's qemu-io prints about its arguments, without its name in front; `''` where it is content. */
export function referenceComplaint(...args: string[]): string {
  const { stderr } = spawnSync('qemu-io', args, { encoding: 'utf8' })
  return stderr.split('\n')[0]!.replace(/^qemu-io: (can't open: )?/, '')
}
