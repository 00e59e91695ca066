// Proves what a bar shows and when: rate and time left, never wider than the terminal, not more often than one can see.

import { expect, test } from 'vitest'
import { BarProgress } from '../../src/print/progress-bar.ts'

function terminal(columns: number): {
  text: string
  time: number
  columns: number
  err(text: string): void
  now(): number
} {
  return {
    text: '',
    time: 1000,
    columns,
    err(text) {
      this.text += text
    },
    now() {
      return this.time
    },
  }
}

test('a bar from begin to end', () => {
  const screen = terminal(80)
  const bar = new BarProgress(screen)
  bar.report(0, 0)
  screen.time += 2000
  bar.report(25, 2 ** 20)
  screen.time += 99
  bar.report(26, 2 ** 20)
  screen.time = 9000
  bar.report(100, 4 * 2 ** 20)
  bar.request()
  bar.end()
  const shown = screen.text.split('\r').map((line) => line.trimEnd())
  expect(shown).toEqual([
    '',
    `  0.0% [${' '.repeat(40)}]`,
    ` 25.0% [${'='.repeat(10)}${' '.repeat(30)}]  512 KiB/s  0:06 left`,
    `100.0% [${'='.repeat(40)}]  512 KiB/s  0:08`,
  ])
  expect(screen.text.endsWith('\n')).toBe(true)
})

test('what was longer before is wiped out', () => {
  const screen = terminal(80)
  const bar = new BarProgress(screen)
  screen.time += 1_000_000
  bar.report(1)
  screen.time += 1_000_000
  bar.report(99.9)
  const [, first = '', second = ''] = screen.text.split('\r')
  expect(first).toContain('27:30:00 left')
  expect(second).toContain('0:03 left')
  expect(second.length).toBeGreaterThanOrEqual(first.length)
})

test.each([10, 20, 30, 50])('no line is wider than a terminal of %i columns', (columns) => {
  const screen = terminal(columns)
  const bar = new BarProgress(screen)
  for (const percent of [0, 1, 50, 120, Number.NaN]) {
    screen.time += 5000
    bar.report(percent, percent * 1e9)
  }
  for (const line of screen.text.split('\r')) expect(line.trimEnd().length).toBeLessThan(columns)
})

test('nothing was shown, nothing is ended', () => {
  const screen = terminal(80)
  new BarProgress(screen).end()
  expect(screen.text).toBe('')
})
