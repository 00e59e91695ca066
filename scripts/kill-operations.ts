/**
 * `pnpm kill-operations [--kills N] [--seed N] [--lanes N] [--layout NAME]`: kills a process that changes images, at random moments and
 * whatever it does, and has the reference look at what is left.
 *
 * The same seed gives the same operations and delays; the moment that a delay hits is the machine's own.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundleChild } from './kill-operations/child-program.ts'
import { killLane, type KillOutcome } from './kill-operations/lane.ts'
import { layouts } from './kill-operations/operation.ts'
import { seededRandom } from './lib/random.ts'
import { isInstalled, withFolder } from './lib/workspace.ts'

/** What to do, and whom to tell. */
export interface KillOperationsPlan {
  /** Kills that must hit an operation under way; those between two come on top. */
  readonly kills: number
  readonly seed: number
  /** Name of the only layout of images; default: all of them in turn. */
  readonly layout?: string | undefined
  /** Images that are worked on at the same time. */
  readonly lanes: number
  readonly report: (line: string) => void
}

/** Kills until `plan.kills` have hit an operation. */
export async function killOperations(plan: KillOperationsPlan): Promise<KillOutcome[]> {
  // In memory where there is such a place: a kill, other than a power cut, leaves what system calls have taken anyway.
  const memory = existsSync('/dev/shm') ? '/dev/shm' : undefined
  const run = async (folder: string): Promise<KillOutcome[]> => {
    const program = bundleChild(folder)
    const outcomes: KillOutcome[] = []
    let hits = 0
    const work = async (lane: number): Promise<void> => {
      const own = join(folder, `lane${lane}`)
      mkdirSync(own)
      const options = {
        program,
        folder: own,
        random: seededRandom(plan.seed + lane),
        first: lane * 3,
        only: plan.layout,
      }
      for await (const outcome of killLane(options)) {
        outcomes.push(outcome)
        if (outcome.hit !== undefined) hits++
        const { layout, hit, failures } = outcome
        if (failures.length > 0) plan.report(`${layout}, ${hit ?? 'nothing'} under way: ${failures.join('\n  ')}`)
        else if (outcomes.length % 100 === 0) plan.report(`${hits}/${plan.kills} kills hit an operation`)
        if (hits >= plan.kills) return
      }
    }
    await Promise.all(Array.from({ length: plan.lanes }, (_, lane) => work(lane)))
    return outcomes
  }
  return await withFolder('kill-operations', run, memory)
}

/** The figures of a run, in lines. */
export function killFigures(outcomes: readonly KillOutcome[]): string[] {
  const count = (is: (outcome: KillOutcome) => boolean): number => outcomes.filter(is).length
  const byKind = new Map<string, number>()
  for (const { hit = 'between two' } of outcomes) byKind.set(hit, (byKind.get(hit) ?? 0) + 1)
  const kinds = [...byKind].sort(([, a], [, b]) => b - a).map(([kind, times]) => `${kind} ${times}`)
  const done = outcomes.reduce((sum, outcome) => sum + outcome.done, 0)
  return [
    `${outcomes.length} kills, ${done} operations done before them, ${count(({ leaks }) => leaks)} with leaks, ` +
      `${count(({ repaired }) => repaired)} dirty images repaired, ${count(({ failures }) => failures.length > 0)} failed`,
    `hit: ${kinds.join(', ')}`,
  ]
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '500' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      lanes: { type: 'string', default: '2' },
      layout: { type: 'string' },
    },
  })
  if (!isInstalled('qemu-img')) throw new Error('the reference judges: install qemu-utils')
  if (!layouts.some(({ name }) => name === (values.layout ?? name))) throw new Error(`no layout ${values.layout}`)
  const [kills, seed, lanes] = [Number(values.kills), Number(values.seed), Number(values.lanes)]
  console.log(`seed ${seed}: bring it back with --seed ${seed}`)
  const outcomes = await killOperations({ kills, seed, lanes, layout: values.layout, report: console.log })
  for (const line of killFigures(outcomes)) console.log(line)
  if (outcomes.some(({ failures }) => failures.length > 0)) process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
