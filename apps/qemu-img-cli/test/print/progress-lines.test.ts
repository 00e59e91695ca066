// Proves what programs read of progress: JSON lines at the ends, after each whole percent, and now and then.

import { expect, test } from 'vitest'
import { LineProgress } from '../../src/print/progress-lines.ts'

test('lines', () => {
  const output = {
    lines: [] as unknown[],
    time: 0,
    err(text: string) {
      expect(text.endsWith('\n')).toBe(true)
      this.lines.push(JSON.parse(text))
    },
    now() {
      return this.time
    },
  }
  const progress = new LineProgress(output)
  progress.report(Number.NaN)
  progress.report(0)
  output.time = 100
  for (const percent of [0.5, 10.125, 10.9]) progress.report(percent, percent * 1000)
  output.time = 700
  progress.report(10.95)
  output.time = 1000
  progress.report(100, 100_000)
  progress.report(120)
  progress.request()
  progress.end()
  expect(output.lines).toEqual([
    { event: 'progress', percent: 0, seconds: 0, secondsLeft: null },
    { event: 'progress', percent: 10.13, bytes: 10125, bytesPerSecond: 101250, seconds: 0.1, secondsLeft: 0.888 },
    { event: 'progress', percent: 10.95, seconds: 0.7, secondsLeft: 5.693 },
    { event: 'progress', percent: 100, bytes: 100_000, bytesPerSecond: 100_000, seconds: 1, secondsLeft: 0 },
  ])
})
