/** Progress as a bar that is rewritten in place, with rate and time left; for people at a terminal. */

import { humanSize } from './human-size.ts'
import type { Progress } from './progress.ts'
import { WorkRate } from './work-rate.ts'

/** Where a bar is drawn. */
export interface BarTerminal {
  err(text: string): void
  /** Characters in a line. */
  readonly columns: number
  /** Milliseconds of a clock that never goes back. */
  now(): number
}

/** Milliseconds between two drawings: no eye sees more. */
const drawEvery = 100
/** Beyond it the bar says no more. */
const barMax = 40

/** One command's bar on standard error. */
export class BarProgress implements Progress {
  readonly #terminal: BarTerminal
  readonly #rate: WorkRate
  #drawnAt = Number.NEGATIVE_INFINITY
  #drawn = ''

  constructor(terminal: BarTerminal) {
    this.#terminal = terminal
    this.#rate = new WorkRate(() => terminal.now())
  }

  report(percent: number, bytes?: number): void {
    const now = this.#terminal.now()
    if (percent < 100 && now - this.#drawnAt < drawEvery) return
    this.#drawnAt = now
    const line = this.#line(Math.min(Number.isNaN(percent) ? 0 : percent, 100), bytes)
    // Blanks over what a longer line before has left.
    this.#terminal.err(`\r${line.padEnd(this.#drawn.length)}`)
    this.#drawn = line
  }

  /** The bar answers by itself. */
  request(): void {}

  end(): void {
    if (this.#drawn !== '') this.#terminal.err('\n')
  }

  #line(percent: number, bytes: number | undefined): string {
    const { seconds, secondsLeft, bytesPerSecond } = this.#rate.at(percent, bytes)
    const facts = [
      ...(bytesPerSecond === undefined ? [] : [`${humanSize(Math.round(bytesPerSecond))}/s`]),
      percent >= 100 ? `${clock(seconds)}` : secondsLeft === undefined ? '' : `${clock(secondsLeft)} left`,
    ]
    const head = `${percent.toFixed(1).padStart(5)}%`
    const tail = facts.filter((fact) => fact !== '').join('  ')
    // The last column stays empty, or some terminals begin a new line.
    const room = Math.min(barMax, this.#terminal.columns - head.length - tail.length - 6)
    if (room < 5) return `${head}  ${tail}`.slice(0, Math.max(0, this.#terminal.columns - 1))
    const filled = Math.floor((room * percent) / 100)
    return `${head} [${'='.repeat(filled)}${' '.repeat(room - filled)}]  ${tail}`.trimEnd()
  }
}

/** `1:02:03`, or `2:03` where there are no hours. */
function clock(seconds: number): string {
  const whole = Math.ceil(seconds)
  const two = (number: number): string => String(number).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`
}
