/**
 * Proves that a check by ours and one by the reference agree on damaged images: the same exit status, the same counts and
 * the same words; and that what one has mended is what the other takes for mended. `DAMAGE=all` does every mutation of
 * every base, `DAMAGE=TEXT` those whose names contain the text; without it every third mutation is done once.
 */

import { copyFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithReference, TemporaryFolder } from '../helpers/reference.ts'
import { bases, makeBase } from './bases.ts'
import { allCases, type Case, someCases } from './cases.ts'
import { Victim } from './image.ts'
import { knownDifference } from './known-differences.ts'
import { checkByOurs } from './ours.ts'
import { checkByTheirs } from './theirs.ts'
import type { Verdict } from './verdict.ts'

/** What everybody says of one image. */
interface Verdicts {
  /** Checked, and checked with `-r all`; `again`: checked after that. */
  readonly ours: { readonly plain: Verdict; readonly repair: Verdict; readonly again: Verdict }
  readonly theirs: { readonly plain: Verdict; readonly repair: Verdict; readonly again: Verdict }
  /** The other one's repaired image. */
  readonly oursOfTheirs: Verdict
  readonly theirsOfOurs: Verdict
}

const wanted = process.env.DAMAGE
const cases =
  wanted === undefined ? someCases : allCases.filter(({ name }) => wanted === 'all' || name.includes(wanted))
const minutes = 60_000

describeWithReference(`${cases.length} damaged images`, () => {
  const folder = new TemporaryFolder()
  const verdicts = new Map<string, Verdicts>()
  afterAll(() => folder[Symbol.dispose]())
  beforeAll(async () => {
    for (const [name, each] of await judgeAll(folder, cases)) verdicts.set(name, each)
  }, 20 * minutes)

  test.each(cases.map((each) => [each.name, each] as const))('%s', (name, each) => {
    const { ours, theirs, oursOfTheirs, theirsOfOurs } = verdicts.get(name)!
    // Whatever has happened to an image, both see the same in it afterwards.
    expect({ code: theirsOfOurs.code, of: 'ours' }).toEqual({ code: ours.again.code, of: 'ours' })
    const difference = knownDifference(each)
    if (difference !== undefined && difference.onlyMended !== true) return
    expectSame(ours.plain, theirs.plain)
    if (difference !== undefined) return
    expect({ code: oursOfTheirs.code, of: 'theirs' }).toEqual({ code: theirs.again.code, of: 'theirs' })
    if (!gaveUp(theirs.repair)) expectSame(ours.repair, theirs.repair)
    // Where the reference has given up, ours may mend more, never less.
    else expect(severity(ours.repair)).toBeLessThanOrEqual(severity(theirs.repair))
  })
})

/** The reference has ejected the image in the middle of the repair. */
function gaveUp({ lines }: Verdict): boolean {
  return lines.some((line) => line.includes('Marking image as corrupt'))
}

/** How bad an exit status is. */
function severity({ code }: Verdict): number {
  return [0, 3, 2, 1].indexOf(code)
}

function expectSame(ours: Verdict, theirs: Verdict): void {
  expect({ code: ours.code, counts: ours.counts }).toEqual({ code: theirs.code, counts: theirs.counts })
  // Past 2^53 numbers come out rounded.
  const rounded = theirs.lines.some((line) => /[0-9a-f]{14}|refcount=\d{16}/.test(line))
  if (!rounded) expect(ours.lines).toEqual(theirs.lines)
}

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

/** Messages that are compared: garbage taken for a table makes hundreds of thousands. */
const linesMax = 100

const sound = new Map<string, Uint8Array>()

async function judge(folder: TemporaryFolder, some: readonly Case[]): Promise<Verdicts[]> {
  const ours: Verdicts['ours'][] = []
  for (const [at, each] of some.entries()) {
    const { name } = each.base
    if (!sound.has(name)) sound.set(name, await makeBase(bases.find((base) => base.name === name)!, folder))
    const path = folder.file(`${at}`)
    writeFileSync(path, each.mutation.apply(new Victim(sound.get(name)!.slice())).bytes)
    copyFileSync(path, `${path}.ours`)
    const plain = await named(path, checkByOurs(path, false, linesMax))
    const repair = await named(`${path}.ours`, checkByOurs(`${path}.ours`, true, linesMax))
    ours.push({ plain, repair, again: await checkByOurs(`${path}.ours`, false, linesMax) })
  }
  const theirs = await checkByTheirs(
    folder.path,
    some.map((_, at) => [
      { image: `${at}`, repair: false },
      { image: `${at}`, repair: true },
      { image: `${at}`, repair: false, again: true },
      { image: `${at}.ours`, repair: false },
    ]),
  )
  const all: Verdicts[] = []
  for (const [at, runs] of theirs.entries()) {
    const [plain, repair, again, theirsOfOurs] = (await Promise.all(
      runs.map((run) => named(`${at}`, Promise.resolve(run))),
    )) as [Verdict, Verdict, Verdict, Verdict]
    const oursOfTheirs = await checkByOurs(folder.file(`${at}`), false, linesMax)
    all.push({ ours: ours[at]!, theirs: { plain, repair, again }, oursOfTheirs, theirsOfOurs })
  }
  return all
}

/** Messages about one image, whatever its file is called. */
async function named(path: string, verdict: Promise<Verdict>): Promise<Verdict> {
  const { code, counts, lines } = await verdict
  return { code, counts, lines: kept(lines).map((line) => line.replaceAll(`'${path}'`, "'image'")) }
}

/** What is compared. How freeing what cannot be freed fails differs in its words, and changes nothing. */
function kept(lines: readonly string[]): string[] {
  const compared = lines.filter((line) => !line.startsWith('qcow2_free_clusters failed'))
  return compared.filter((line, at) => at < linesMax || line.includes('Marking image as corrupt'))
}
