/**
 * Proves that a check by ours and one by the reference agree on damaged images: the same exit status, the same counts and
 * the same words; that what one has mended is what the other takes for mended; and that a mended image is clean in both, or
 * damaged for good in a way that is listed. Three mutations of four are done once, or with `DAMAGE=TEXT` those whose names
 * contain the text; `pnpm damage` does every mutation of every base.
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithReference, TemporaryFolder } from '../helpers/reference.ts'
import { lasting, lastingDamage } from './beyond-repair.ts'
import { allCases, type Case, someCases } from './cases.ts'
import { disagreements, judge } from './judge.ts'
import type { Verdicts } from './verdict.ts'

const wanted = process.env.DAMAGE
const cases = wanted === undefined ? someCases : allCases.filter(({ name }) => name.includes(wanted))
const minutes = 60_000

test('there are 300 damaged images and more, each once', () => {
  expect(someCases.length).toBeGreaterThanOrEqual(300)
  expect(new Set(someCases.map(({ name }) => name)).size).toBe(someCases.length)
})

describeWithReference(`${cases.length} damaged images`, () => {
  const folder = new TemporaryFolder()
  const verdicts = new Map<string, Verdicts>()
  afterAll(() => folder[Symbol.dispose]())
  beforeAll(async () => {
    for (const [name, each] of await judgeAll(folder, cases)) verdicts.set(name, each)
  }, 20 * minutes)

  test.each(cases.map((each) => [each.name, each] as const))('%s', (name, each) => {
    expect(disagreements(each, verdicts.get(name)!)).toEqual([])
  })

  test('after the repair each is clean in both, or has a reason not to be', () => {
    const reasons = new Set(lasting.map(({ reason }) => reason))
    const states = [...verdicts].map(([name, { ours, theirsOfOurs }]) => {
      const isClean = ours.again.code === 0 && theirsOfOurs.code === 0
      return { name, state: isClean ? 'clean' : (lastingDamage(ours) ?? 'damaged') }
    })
    expect(states.filter(({ state }) => state !== 'clean' && !reasons.has(state))).toEqual([])
    // A test that mends nothing proves nothing.
    if (wanted === undefined) expect(states.filter(({ state }) => state === 'clean').length).toBeGreaterThan(100)
  })
})

async function judgeAll(folder: TemporaryFolder, which: readonly Case[]): Promise<Map<string, Verdicts>> {
  const found = new Map<string, Verdicts>()
  // Some at a time, so that the images do not take the disk for themselves.
  for (let first = 0; first < which.length; first += batch) {
    const some = which.slice(first, first + batch)
    const judged = await judge(folder, some)
    some.forEach(({ name }, at) => void found.set(name, judged[at]!))
  }
  return found
}

const batch = 250
