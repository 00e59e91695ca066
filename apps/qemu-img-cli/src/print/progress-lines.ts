/** Progress as one JSON object per line, for programs. */

import type { Progress } from './progress.ts'
import { WorkRate } from './work-rate.ts'

/** Where lines go. */
export interface LineOutput {
  err(text: string): void
  /** Milliseconds of a clock that never goes back. */
  now(): number
}

/** Longest time in milliseconds without a line while work goes on. */
const lineEvery = 500

/** One command's lines on standard error: at 0 and 100, after each whole percent and twice a second. */
export class LineProgress implements Progress {
  readonly #output: LineOutput
  readonly #rate: WorkRate
  #percent: number | undefined
  #printedAt = 0

  constructor(output: LineOutput) {
    this.#output = output
    this.#rate = new WorkRate(() => output.now())
  }

  report(percent: number, bytes?: number): void {
    const current = Math.min(Number.isNaN(percent) ? 0 : percent, 100)
    const before = this.#percent
    if (before === current) return
    const late = this.#output.now() - this.#printedAt >= lineEvery
    const ends = current === 0 || current === 100
    if (before !== undefined && !ends && !late && Math.floor(before) === Math.floor(current)) return
    this.#percent = current
    this.#printedAt = this.#output.now()
    this.#output.err(`${JSON.stringify(this.#record(current, bytes))}\n`)
  }

  /** Lines come by themselves. */
  request(): void {}

  end(): void {}

  #record(percent: number, bytes: number | undefined): object {
    const { seconds, secondsLeft, bytesPerSecond } = this.#rate.at(percent, bytes)
    return {
      event: 'progress',
      percent: Math.round(percent * 100) / 100,
      ...(bytes === undefined ? {} : { bytes, bytesPerSecond: Math.round(bytesPerSecond ?? 0) }),
      seconds: rounded(seconds),
      secondsLeft: secondsLeft === undefined ? null : rounded(secondsLeft),
    }
  }
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
