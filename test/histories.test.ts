// Proves by random histories that ours and the reference agree after every step: guest content, allocation, what closed
// images hold, and both checks. `pnpm histories` plays as many as one likes, and shortens those that fail.
import { seeds } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { isInstalled } from '../scripts/lib/workspace.ts'
import { runsOf } from './histories/content.ts'
import { type HistoryPlan, playHistory } from './histories/run.ts'
import { shrinkHistory } from './histories/shrink.ts'

const steps = 50
const inCi = Array.from({ length: 100 }, (_, index) => index + 1)

const withoutReference = !isInstalled('qemu-io') && process.env.CI === undefined

describe.skipIf(withoutReference)('beside the reference (skipped without the reference tools)', () => {
  // One process of ours, and one of the reference's, are busy at a time.
  test.concurrent.each(seeds(...inCi))('seed %i', async (seed) => {
    const { failure, layout, played } = await playHistory({ seed, steps })
    const again = `pnpm histories -- --seed ${seed} --steps ${steps} --histories 1`
    expect(failure === undefined ? undefined : { again, layout, ...failure }).toBeUndefined()
    expect(played).toBeGreaterThan(0)
  })

  // A disk that forgets the last byte of a write: the history must notice, and what is left of it must still show it.
  test('a planted mistake is found and made short', async () => {
    const seed = 3
    const tamper: HistoryPlan['tamper'] = async (action) =>
      action.kind === 'write' ? { ...action, bytes: action.bytes - 1 } : action
    expect((await playHistory({ seed, steps: 12, tamper })).failure?.what).toContain('Pattern verification failed')
    const short = await shrinkHistory({ seed, steps: 12, tamper })
    expect(short.failure).toContain('Pattern verification failed')
    expect(short.keep).toHaveLength(1)
  })
})

test('runs of one byte, wherever they begin and end', () => {
  const bytes = new Uint8Array(1030)
  bytes.fill(7, 3, 517).fill(9, 1029)
  expect(runsOf(bytes)).toEqual([
    { start: 0, bytes: 3, value: 0 },
    { start: 3, bytes: 514, value: 7 },
    { start: 517, bytes: 512, value: 0 },
    { start: 1029, bytes: 1, value: 9 },
  ])
  expect(runsOf(new Uint8Array(4096).fill(255))).toEqual([{ start: 0, bytes: 4096, value: 255 }])
})
