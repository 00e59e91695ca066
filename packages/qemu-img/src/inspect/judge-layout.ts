/** Judging what an image's tables make of its file. */

import { BlockError, type LayoutRun, type LayoutSupport } from '@blocklayer/block-core'
import type { InspectLimits, Reason } from './verdict.ts'

/** Of the memory allowed, the part that the description may take. */
const describedShare = 4

/** What may go on until the clock says otherwise. */
export interface Deadline {
  /** Whether time is up. */
  readonly isOver: () => boolean
}

/**
 * All that speaks against an image with such tables.
 *
 * @throws BlockError where the file cannot be read
 */
export async function judgeLayout(layout: LayoutSupport, limits: InspectLimits, deadline: Deadline): Promise<Reason[]> {
  const sums = new Sums()
  const stop = new AbortController()
  const options = {
    signal: stop.signal,
    // Files may be read synchronously: no timer would fire while they are.
    onProgress: () => (deadline.isOver() ? stop.abort(new TimeIsUp()) : undefined),
    memoryMax: limits.maxMemory / describedShare,
  }
  try {
    for await (const run of layout.describe(options)) {
      sums.add(run)
      // One finding says it: a damaged image may have millions.
      if (sums.isDamaged) break
    }
  } catch (error) {
    if (error instanceof TimeIsUp) {
      return [{ code: 'timeout', message: `judging its tables takes more than ${limits.timeout} seconds` }]
    }
    if (error instanceof BlockError && error.code === 'ENOMEM') return [{ code: 'memory', message: error.message }]
    throw error
  }
  return sums.reasons(limits)
}

/** Aborts a description whose time is up. */
class TimeIsUp extends Error {
  override readonly name = 'TimeIsUp'
}

class Sums {
  #overlap: LayoutRun | undefined
  #broken: LayoutRun | undefined
  #stored = 0
  #expanded = 0

  get isDamaged(): boolean {
    return this.#overlap !== undefined || this.#broken !== undefined
  }

  add(run: LayoutRun): void {
    if (run.kind === 'overlap') this.#overlap ??= run
    if (run.kind === 'broken') this.#broken ??= run
    if (run.kind !== 'compressed') return
    this.#stored += run.bytes
    this.#expanded += run.guestBytes ?? 0
  }

  reasons({ maxExpansion }: InspectLimits): Reason[] {
    const reasons: Reason[] = []
    if (this.#overlap !== undefined) {
      reasons.push({ code: 'overlap', message: `two structures claim the place at offset ${this.#overlap.offset}` })
    }
    if (this.#broken !== undefined) {
      const { offset, bytes } = this.#broken
      reasons.push({ code: 'outside-file', message: `no such place: ${bytes} bytes at offset ${offset}` })
    }
    if (this.#expanded > this.#stored * maxExpansion) {
      const words = `compressed data of ${this.#stored} bytes expands to ${this.#expanded}`
      reasons.push({ code: 'expansion', message: `${words}, more than ${maxExpansion} times` })
    }
    return reasons
  }
}
