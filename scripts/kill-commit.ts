/**
 * `pnpm kill-commit [--kills N] [--seed N] [--tools reference]`: kills commits at random moments and looks at what is left.
 *
 * The same seed gives the same images and the same delays; the moment that a delay hits is the machine's own.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { copyChain, defaultChangedBytes, makeChain } from './kill-commit/chain.ts'
import { commitDuration, killOnce, type Outcome, ways } from './kill-commit/kill-once.ts'
import { seededRandom } from './lib/random.ts'
import { ensureCli, isInstalled, ours, reference, type Tool, withFolder } from './lib/workspace.ts'

/** What to do, and whom to tell. */
export interface KillPlan {
  /** Commits that must be hit while they run; those that end before the signal come on top. */
  readonly kills: number
  readonly seed: number
  readonly tool: Tool
  /** Bytes written into the top of the chain. */
  readonly changedBytes: number
  readonly report: (line: string) => void
}

/** Kills commits, each on a fresh copy of the chain, until `plan.kills` were hit while they ran. */
export async function killCommits(plan: KillPlan): Promise<Outcome[]> {
  const random = seededRandom(plan.seed)
  return await withFolder('kill-commit', async (folder) => {
    const origin = join(folder, 'origin')
    const copy = join(folder, 'copy')
    await makeChain(origin, plan.changedBytes, random)
    const durations: number[] = []
    for (const way of ways) {
      copyChain(origin, copy)
      durations.push(await commitDuration(copy, plan.tool, way))
      rmSync(copy, { recursive: true })
    }
    plan.report(`an undisturbed commit takes ${durations.map((ms) => `${ms.toFixed(0)} ms`).join(' or ')}`)
    const outcomes: Outcome[] = []
    // A kill counts when it hits; one that comes too late only tells that later ones must come sooner.
    let hits = 0
    for (let i = 0; hits < plan.kills && i < 3 * plan.kills; i++) {
      const way = i % ways.length
      const delay = random() * durations[way]!
      copyChain(origin, copy)
      const outcome = await killOnce(copy, plan.tool, ways[way]!, delay)
      rmSync(copy, { recursive: true })
      outcomes.push(outcome)
      if (outcome.inFlight) hits++
      else durations[way] = delay
      const label = `${hits}/${plan.kills} ${ways[way]!.args.join(' ')}, killed after ${delay.toFixed(0)} ms`
      plan.report(`${label}: ${inWords(outcome)}`)
    }
    return outcomes
  })
}

function inWords({ inFlight, rebuilt, leaking, failures }: Outcome): string {
  const parts = [inFlight ? 'in flight' : 'already done']
  if (leaking.length > 0) parts.push(`leaks in ${leaking.join(', ')}`)
  if (rebuilt.length > 0) parts.push(`refcounts to rebuild in ${rebuilt.join(', ')}`)
  return [...parts, failures.length === 0 ? 'ok' : `FAILED\n  ${failures.join('\n  ')}`].join(', ')
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '50' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      tools: { type: 'string', default: 'ours' },
    },
  })
  ensureCli()
  const tool = values.tools === 'reference' ? reference : ours
  const [kills, seed] = [Number(values.kills), Number(values.seed)]
  console.log(`seed ${seed}: ${kills} kills of ${tool.name}; bring it back with --seed ${seed}`)
  if (!isInstalled('qemu-img')) console.log('the reference is not installed: our own tools judge alone')
  const outcomes = await killCommits({ kills, seed, tool, changedBytes: defaultChangedBytes, report: console.log })
  const count = (is: (outcome: Outcome) => boolean) => outcomes.filter(is).length
  const failed = count(({ failures }) => failures.length > 0)
  console.log(
    `seed ${seed}: ${outcomes.length} commits, ${count(({ inFlight }) => inFlight)} killed in flight, ` +
      `${count(({ leaking }) => leaking.length > 0)} with leaks, ` +
      `${count(({ rebuilt }) => rebuilt.length > 0)} with refcounts to rebuild, ${failed} failed`,
  )
  if (failed > 0) process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
