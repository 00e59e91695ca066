// Proves when a progress line is printed: always at 0 and 100, else after a step; and once on request without -p.

import { expect, test } from 'vitest'
import { TextProgress } from '../../src/print/progress.ts'

function recorder(): { text: string; out(text: string): void; err(text: string): void } {
  return {
    text: '',
    out(text) {
      this.text += text
    },
    err(text) {
      this.text += `ERR ${text}`
    },
  }
}

test('lines come at 0, at 100 and after more than the step in between', () => {
  const output = recorder()
  const progress = new TextProgress(output, { enabled: true, minSkip: 1 })
  for (const percent of [0, 0, 0.5, 1, 1.01, 2, 50, 100, 120, Number.NaN]) progress.report(percent)
  progress.end()
  const shown = ['0.00', '0.00', '1.01', '50.00', '100.00', '100.00', '0.00']
  expect(output.text).toBe(`${shown.map((text) => `    (${text}/100%)\r`).join('')}\n`)
})

test('without -p one line answers one request, on standard error', () => {
  const output = recorder()
  const progress = new TextProgress(output, { enabled: false, minSkip: 1 })
  progress.report(0)
  progress.request()
  progress.report(12.345)
  progress.report(20)
  progress.end()
  expect(output.text).toBe('ERR     (12.35/100%)\n')
})
