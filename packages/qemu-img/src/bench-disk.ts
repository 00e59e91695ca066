/** Times requests to a disk: so many in all, so many at once. */

import type { BlockBackend, JobOptions } from '@blocklayer/block-core'
import { Breather } from './breather.ts'

/** What is to be requested; offsets and lengths in bytes. */
export interface BenchPlan {
  readonly write: boolean
  readonly count: number
  /** Requests under way at once, at least 1. */
  readonly depth: number
  readonly offset: number
  readonly bytes: number
  /** From one request's start to the next one's; past the disk's end it goes on at its beginning. */
  readonly step: number
  /** Byte that is written. */
  readonly pattern: number
  /** Requests between two flushes; 0: none. */
  readonly flushInterval: number
  /** Wait for all requests before each flush. */
  readonly drain: boolean
}

/**
 * Makes the requests. Progress is told in bytes.
 *
 * @returns seconds
 * @throws what the first request that fails throws, when no other is under way any more; `job.signal.reason`, likewise
 * @see QEMU 7.2 qemu-img.c: img_bench; spec/qemu-img.md, section 10
 */
export async function benchDisk(disk: BlockBackend, plan: BenchPlan, job: JobOptions = {}): Promise<number> {
  const { signal, onProgress } = job
  const breather = new Breather()
  const start = performance.now()
  const queue = new Queue(plan.depth)
  const buffer = new Uint8Array(plan.bytes).fill(plan.write ? plan.pattern : 0)
  let offset = plan.offset
  for (let i = 1; i <= plan.count && !queue.failed && signal?.aborted !== true; i++) {
    await breather.breathe()
    const at = offset
    await queue.add(() => (plan.write ? disk.write(at, buffer) : disk.read(at, buffer)))
    offset = (offset + plan.step) % disk.length
    onProgress?.({ current: i * plan.bytes, total: plan.count * plan.bytes })
    if (plan.flushInterval === 0 || i % plan.flushInterval !== 0) continue
    if (plan.drain) await queue.empty()
    await queue.add(() => disk.flush())
    if (plan.drain) await queue.empty()
  }
  await queue.end()
  signal?.throwIfAborted()
  return (performance.now() - start) / 1000
}

/** Requests under way, up to a number. */
class Queue {
  readonly #depth: number
  readonly #running = new Set<Promise<void>>()
  readonly #failures: unknown[] = []

  constructor(depth: number) {
    this.#depth = depth
  }

  get failed(): boolean {
    return this.#failures.length > 0
  }

  /** Starts `request` as soon as there is room, unless one has failed by then. */
  async add(request: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#depth) await Promise.race(this.#running)
    if (this.failed) return
    const running = request()
      .catch((error: unknown) => void this.#failures.push(error))
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Resolves when nothing is under way. */
  async empty(): Promise<void> {
    await Promise.all(this.#running)
  }

  /** Waits for all. @throws the first failure */
  async end(): Promise<void> {
    await this.empty()
    if (this.failed) throw this.#failures[0]
  }
}
