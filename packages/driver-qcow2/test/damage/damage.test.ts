/**
 * Proves that a check by ours and one by the reference agree on damaged images: the same exit status, the same counts and
 * the same words; and that what one has mended is what the other takes for mended. Every third mutation is done once, or
 * with `DAMAGE=TEXT` those whose names contain the text; `pnpm damage` does every mutation of every base.
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithReference, TemporaryFolder } from '../helpers/reference.ts'
import { allCases, type Case, someCases } from './cases.ts'
import { disagreements, judge, type Verdicts } from './judge.ts'

const wanted = process.env.DAMAGE
const cases = wanted === undefined ? someCases : allCases.filter(({ name }) => name.includes(wanted))
const minutes = 60_000

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
