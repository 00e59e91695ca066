/** Both tools' verdicts on damaged images, and where they disagree. */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { TemporaryFolder } from '../helpers/reference.ts'
import { bases, makeBase } from './bases.ts'
import { lastingDamage } from './beyond-repair.ts'
import type { Case } from './cases.ts'
import { Victim } from './image.ts'
import { knownDifference, type Subject } from './known-differences.ts'
import { checkByOurs } from './ours.ts'
import { checkByTheirs, outOfTime } from './theirs.ts'
import type { Cost, Verdict, Verdicts } from './verdict.ts'

/** Something that should be the same of both, and is not. */
export interface Disagreement {
  readonly about: Subject
  readonly ours: unknown
  readonly theirs: unknown
}

/** Where the verdicts on an image differ although no known difference allows it; and known differences that are none. */
export function disagreements(each: Case, verdicts: Verdicts): Disagreement[] {
  const found = allDisagreements(verdicts)
  const known = knownDifference(each)
  if (known === undefined) return found
  const others = found.filter(({ about }) => !known.about.includes(about))
  if (others.length < found.length) return others
  return [...others, { about: 'a known difference that is none', ours: known.reason, theirs: known.reason }]
}

function allDisagreements({ ours, theirs, oursOfTheirs, theirsOfOurs }: Verdicts): Disagreement[] {
  const found: Disagreement[] = []
  const compare: Compare = (about, one, other) => {
    // A reference that has not come to an end has said nothing.
    if (hasEnded(other) && !isDeepStrictEqual(one, other)) found.push({ about, ours: one, theirs: other })
  }
  // Whatever has happened to an image, both see the same in it afterwards.
  compare('what ours has mended', ours.again.code, theirsOfOurs.code)
  compare('what theirs has mended', oursOfTheirs.code, theirs.again.code)
  // Clean then, in both, or beyond repair, for both.
  if (ours.again.code !== 0 && (lastingDamage(ours) === undefined || theirs.again.code === 0)) {
    found.push({ about: 'not clean after the repair', ours: ours.again, theirs: theirs.again })
  }
  compareVerdicts('checked', ours.plain, theirs.plain, compare)
  if (!gaveUp(theirs.repair)) compareVerdicts('repaired', ours.repair, theirs.repair, compare)
  // Where the reference has given up, ours may mend more, never less.
  else if (severity(ours.repair) > severity(theirs.repair)) {
    compare('repaired less', ours.repair.code, theirs.repair.code)
  }
  return found
}

type Compare = (about: Subject, one: unknown, other: unknown) => void

function hasEnded(verdict: unknown): boolean {
  const code = typeof verdict === 'object' ? (verdict as Partial<Verdict>).code : verdict
  return code !== outOfTime
}

function compareVerdicts(about: 'checked' | 'repaired', ours: Verdict, theirs: Verdict, compare: Compare): void {
  compare(about, { code: ours.code, counts: ours.counts }, { code: theirs.code, counts: theirs.counts })
  // Past 2^53 numbers come out rounded.
  const rounded = theirs.lines.some((line) => /[0-9a-f]{14}|refcount=\d{16}/.test(line))
  if (!rounded && hasEnded(theirs)) compare(`${about}: words`, ours.lines, theirs.lines)
}

/** The reference has ejected the image in the middle of the repair. */
function gaveUp({ lines }: Verdict): boolean {
  return lines.some((line) => line.includes('Marking image as corrupt'))
}

/** How bad an exit status is. */
function severity({ code }: Verdict): number {
  return [0, 3, 2, 1].indexOf(code)
}

/** Messages that are compared: garbage taken for a table makes hundreds of thousands. */
const linesMax = 100

const sound = new Map<string, Uint8Array>()

/** Checks and mends images by both tools, in files of the folder; verdicts come in the order of `some`. */
export async function judge(folder: TemporaryFolder, some: readonly Case[]): Promise<Verdicts[]> {
  const ours: (Verdicts['ours'] & { readonly cost: Cost })[] = []
  for (const [at, each] of some.entries()) {
    const path = folder.file(`${at}`)
    writeFileSync(path, await damagedImage(folder, each))
    copyFileSync(path, `${path}.ours`)
    const [verdicts, cost] = await measured(async () => {
      const plain = named(path, await checkByOurs(path, false, linesMax))
      const repair = named(`${path}.ours`, await checkByOurs(`${path}.ours`, true, linesMax))
      return { plain, repair, again: await checkByOurs(`${path}.ours`, false, linesMax) }
    })
    ours.push({ ...verdicts, cost })
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
    const [plain, repair, again, theirsOfOurs] = runs.map((run) => named(`${at}`, run)) as [
      Verdict,
      Verdict,
      Verdict,
      Verdict,
    ]
    const [oursOfTheirs, { milliseconds, memory }] = await measured(() =>
      checkByOurs(folder.file(`${at}`), false, linesMax),
    )
    const { cost, ...own } = ours[at]!
    const both = { milliseconds: milliseconds + cost.milliseconds, memory: Math.max(memory, cost.memory) }
    all.push({ ours: own, theirs: { plain, repair, again }, oursOfTheirs, theirsOfOurs, cost: both })
  }
  return all
}

async function measured<Result>(work: () => Promise<Result>): Promise<[Result, Cost]> {
  // What the image before has left behind is not this one's.
  globalThis.gc?.()
  // 5 forgets the peak: see proc(5).
  if (isLinux) writeFileSync('/proc/self/clear_refs', '5')
  const before = peak()
  const start = process.cpuUsage()
  const result = await work()
  const { user, system } = process.cpuUsage(start)
  return [result, { milliseconds: (user + system) / 1000, memory: peak() - before }]
}

const isLinux = process.platform === 'linux'

function peak(): number {
  if (!isLinux) return 0
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024
}

async function damagedImage(folder: TemporaryFolder, { base: { name }, mutation }: Case): Promise<Uint8Array> {
  if (!sound.has(name)) sound.set(name, await makeBase(bases.find((base) => base.name === name)!, folder))
  return mutation.apply(new Victim(sound.get(name)!.slice())).bytes
}

/** Messages about one image, whatever its file is called. */
function named(path: string, { code, counts, lines }: Verdict): Verdict {
  return { code, counts, lines: kept(lines).map((line) => line.replaceAll(`'${path}'`, "'image'")) }
}

/** What is compared. How freeing what cannot be freed fails differs in its words, and changes nothing. */
function kept(lines: readonly string[]): string[] {
  const compared = lines.filter((line) => !line.startsWith('qcow2_free_clusters failed'))
  return compared.filter((line, at) => at < linesMax || line.includes('Marking image as corrupt'))
}
