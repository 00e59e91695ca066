/** One history, played to ours and to the reference, and the first thing in which they differ. */

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { random } from '@blocklayer/block-core/testing'
import { type Action, actionOf, type Draw, drawSteps, narrowsCounts } from './actions.ts'
import { type AllocationRun, type MapRun, mergeRuns, runDifference } from './content.ts'
import { type ImageHeld, readHeld } from './facts.ts'
import { chooseLayout, type Layout, layoutText } from './layout.ts'
import { type Outcome, OurSide } from './ours.ts'
import { isImgStep, playTheirs, type ScriptedStep, type TheirStep } from './theirs.ts'
import { leavesMoreCounts, referenceGaveUp, theirOwnDamage } from './tolerated.ts'

/** Which history. */
export interface HistoryPlan {
  readonly seed: number
  readonly steps: number
  /** Numbers of the steps that are played; absent: all. */
  readonly keep?: readonly number[] | undefined
  /** Called before ours plays a step: what it does is a planted mistake. */
  readonly tamper?: (action: Action, side: OurSide) => Promise<Action>
}

/** What a history came to. */
export interface HistoryResult {
  readonly layout: string
  /** Absent: both sides agree all along. */
  readonly failure?: { readonly step: number; readonly what: string }
  /** Steps that both sides played, and how many of them both refused. */
  readonly played: number
  readonly refused: number
  readonly byKind: Readonly<Record<string, number>>
  /** Why the rest was not played: the reference cannot, where ours can. */
  readonly ended?: string | undefined
}

/** A step as ours played it. */
interface OurStep extends ScriptedStep {
  readonly outcome: Outcome
  readonly allocation: readonly AllocationRun[]
  readonly map: readonly MapRun[] | undefined
  readonly held: ImageHeld | undefined
}

/** Where the files lie: in memory where there is such a place, for there are many. */
function scratch(): string {
  const shared = statSync('/dev/shm', { throwIfNoEntry: false })?.isDirectory() === true
  return mkdtempSync(join(shared ? '/dev/shm' : tmpdir(), 'blocklayer-history-'))
}

/** Plays a history. @throws what is neither side's answer: a mistake in the test itself, or a crash of ours */
export async function playHistory(plan: HistoryPlan): Promise<HistoryResult> {
  const choose = random(plan.seed)
  const layout = chooseLayout(choose)
  const draws = drawSteps(choose, plan.steps)
  const folder = scratch()
  try {
    const ours = await playOurs(plan, layout, draws, folder)
    const theirs = await playTheirs(folder, layout, ours.steps)
    return await compare(layout, ours, theirs, folder)
  } finally {
    if (process.env.BLOCKLAYER_KEEP === undefined) rmSync(folder, { recursive: true, force: true })
    else console.log(`kept ${folder}`)
  }
}

interface OurHistory {
  readonly steps: readonly OurStep[]
  /** What no side may do: an error where nothing can refuse, lines that nobody expects. */
  readonly failure?: { readonly step: number; readonly what: string }
}

/** Steps between two looks at the closed images. */
const checkpointDistance = 14

async function playOurs(
  plan: HistoryPlan,
  layout: Layout,
  draws: readonly Draw[],
  folder: string,
): Promise<OurHistory> {
  const side = await OurSide.create(layout, join(folder, 'ours'))
  const steps: OurStep[] = []
  let current = 0
  // Narrow counts are soon full: when, depends on which compressed clusters share one of the file's, and each process of
  // the reference begins another one.
  const followsProcesses = narrowsCounts(layout, draws)
  let sinceCheckpoint = 0
  const play = async (action: Action, number: number, last: boolean): Promise<void> => {
    current = number
    sinceCheckpoint++
    if (followsProcesses && action.kind === 'compressed') await side.openAgain()
    const meant = plan.tamper === undefined ? action : await plan.tamper(action, side)
    const outcome = await side.play(meant)
    let checkpoint: { checkpoint: number; held: ImageHeld } | undefined
    let backings: ScriptedStep['backings']
    if (action.kind === 'reopen' || action.kind === 'commit' || action.kind === 'rebase') {
      await side.close()
      if (action.kind !== 'reopen') backings = await backingsOf(side, layout)
      if (action.kind === 'reopen' && (last || sinceCheckpoint >= checkpointDistance)) {
        sinceCheckpoint = 0
        checkpoint = { checkpoint: number, held: await side.held() }
        side.dump(join(folder, `ours${number}`))
      }
      await side.open(action.kind === 'reopen' ? action : undefined)
    }
    const mapped = number % 5 === 0 || last
    steps.push({
      number,
      action,
      outcome,
      length: side.disk.length,
      content: await side.content(),
      allocation: await side.allocation(),
      mapped,
      map: mapped ? mergeRuns(await side.map()) : undefined,
      held: undefined,
      ...(backings === undefined ? {} : { backings }),
      ...checkpoint,
    })
    if (followsProcesses && !last && (mapped || isImgStep(action))) await side.openAgain()
  }
  try {
    for (const [number, draw] of draws.entries()) {
      if (plan.keep !== undefined && !plan.keep.includes(number)) continue
      const action = actionOf(draw, await side.view(number))
      if (action !== undefined) await play(action, number, false)
    }
    await play({ kind: 'reopen', unmap: true, tightCaches: false }, draws.length, true)
    await side.close()
  } catch (error) {
    const what = `ours failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
    return { steps, failure: { step: current, what } }
  }
  return side.lines.length === 0
    ? { steps }
    : { steps, failure: { step: current, what: `ours said ${side.lines.join()}` } }
}

async function backingsOf(side: OurSide, layout: Layout): Promise<ScriptedStep['backings']> {
  const backings = []
  for (const { name, format } of layout.backings) {
    backings.push({ name, format, content: await side.backingContent(name) })
  }
  return backings
}

async function compare(
  layout: Layout,
  ours: OurHistory,
  theirs: readonly TheirStep[],
  folder: string,
): Promise<HistoryResult> {
  const byKind: Record<string, number> = {}
  let refused = 0
  let played = 0
  let hasMoreCounts = false
  const result = (more: Partial<HistoryResult>): HistoryResult => ({
    layout: layoutText(layout),
    played,
    refused,
    byKind,
    ...more,
  })
  for (const [at, step] of ours.steps.entries()) {
    const their = theirs[at]!
    const length = ours.steps[at - 1]?.length ?? layout.length
    const ended = referenceGaveUp(step, their, { length, extendedL2: layout.extendedL2, hasMoreCounts })
    if (ended !== undefined) return result({ ended })
    const what = stepDifference(step, their) ?? (await checkpointDifference(step, their, folder))
    if (what !== undefined)
      return result({ failure: { step: step.number, what: `${JSON.stringify(step.action)}: ${what}` } })
    played++
    byKind[step.action.kind] = (byKind[step.action.kind] ?? 0) + 1
    if (step.outcome.error !== undefined) refused++
    hasMoreCounts ||= leavesMoreCounts(step)
  }
  return result(ours.failure === undefined ? {} : { failure: ours.failure })
}

function stepDifference(ours: OurStep, theirs: TheirStep): string | undefined {
  const { error } = ours.outcome
  if ((error === undefined) !== (theirs.said === '') && ours.action.kind !== 'truncate') {
    return `ours ${error === undefined ? 'succeeds' : `fails: ${error.message}`}, the reference says '${theirs.said}'`
  }
  if (theirs.differences.length > 0) return `other content in the reference: ${theirs.differences.join('; ')}`
  const allocation = runDifference(ours.allocation, theirs.allocation)
  if (allocation !== undefined) return `other allocation: ${allocation}`
  if (theirs.backingDifferences.length > 0) return `other backing files: ${theirs.backingDifferences.join('; ')}`
  if (ours.map === undefined || theirs.map === undefined) return undefined
  const map = runDifference(comparable(ours.map), comparable(theirs.map))
  return map === undefined ? undefined : `other map: ${map}`
}

/** Holes of files are the file system's matter: below the image itself, and in space that was preallocated. */
function comparable(runs: readonly MapRun[]): object[] {
  return mergeRuns(
    runs.map(({ start, bytes, depth, present, zero, data }) =>
      depth === 0 && present
        ? { start, bytes, depth, present, data, zero: zero && !data }
        : { start, bytes, depth, present },
    ),
  )
}

async function checkpointDifference(ours: OurStep, theirs: TheirStep, folder: string): Promise<string | undefined> {
  const { held } = ours
  if (held === undefined || theirs.ofOurs === undefined) return undefined
  const clean = JSON.stringify({ corruptions: 0, leaks: 0, checkErrors: 0 })
  if (JSON.stringify(held.check) !== clean) return `our check of ours: ${JSON.stringify(held.check)}`
  if (held.lines.length > 0) return `ours said of ours: ${held.lines.join('; ')}`
  const { check, code, differences } = theirs.ofOurs
  if (code !== 0) return `the reference's check of ours: exit code ${code}, ${check}`
  if (differences.length > 0) return `the reference reads ours: ${differences.join('; ')}`
  const other = await readHeld({ folder: join(folder, `theirs${ours.number}`) })
  if (
    JSON.stringify(other.check) !== clean &&
    !theirOwnDamage(join(folder, `theirs${ours.number}/image`), other.check)
  ) {
    return `our check of the reference's image: ${JSON.stringify(other.check)}`
  }
  return heldDifference(held, other)
}

function heldDifference(ours: ImageHeld, theirs: ImageHeld): string | undefined {
  const content = runDifference(ours.content, theirs.content)
  if (content !== undefined) return `other content in the closed images: ${content}`
  const parts = ['length', 'specific', 'bitmaps', 'snapshots'] as const
  for (const part of parts) {
    const [a, b] = [JSON.stringify(ours[part]), JSON.stringify(theirs[part])]
    if (a !== b) return `other ${part}: ours ${a.slice(0, 2000)}, the reference's ${b.slice(0, 2000)}`
  }
  return undefined
}
