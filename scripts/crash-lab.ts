/**
 * `pnpm crash-lab`: what a power cut or a failing request leaves, for every operation that changes metadata.
 *
 *     pnpm crash-lab makeEmpty [--json] [--html FILE]            the crash table of an operation
 *     pnpm crash-lab all [--full] [--jobs N] [--seed N] [--samples N]   every operation, every state, every failing request
 *     pnpm crash-lab --operation NAME --seed N --state ID        one crash state again
 *     pnpm crash-lab --operation NAME --fault ID                 one failing request again
 *     pnpm crash-lab --log FILE [--image START] [--json] [--state ID]   a log of blklogwrites, or one state of it
 *     pnpm crash-lab --list                                      names of all operations
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type CrashVerdict, judgeFaultNamed, judgeStateNamed, recordOperation } from '@blocklayer/block-core/testing'
import { crashTable, tableText } from './crash-lab/crash-table.ts'
import { type Depth, exploreCase } from './crash-lab/explore-case.ts'
import { htmlReport } from './crash-lab/html-report.ts'
import { exploreLog } from './crash-lab/log-report.ts'
import { cases, casesNamed, defaultCase } from './crash-lab/operations.ts'
import { runAll } from './crash-lab/run-all.ts'
import type { LabCase } from './crash-lab/table.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    samples: { type: 'string', default: '256' },
    share: { type: 'string' },
    only: { type: 'string', default: '' },
    full: { type: 'boolean', default: false },
    'no-faults': { type: 'boolean', default: false },
    operation: { type: 'string' },
    state: { type: 'string' },
    fault: { type: 'string' },
    json: { type: 'boolean', default: false },
    html: { type: 'string' },
    log: { type: 'string' },
    image: { type: 'string' },
  },
})

const depth: Depth = {
  seed: Number(values.seed),
  samples: Number(values.samples),
  faults: !values['no-faults'],
  full: values.full,
}

function chosen(name: string): LabCase {
  const one = defaultCase(name)
  if (one === undefined) throw new Error(`there is no operation '${name}': see pnpm crash-lab --list`)
  return one
}

/** One crash state or one failing request again. */
async function again(one: LabCase): Promise<void> {
  const verdict: Pick<CrashVerdict, 'id' | 'problems'> & Partial<Pick<CrashVerdict, 'inspection'>> =
    values.fault === undefined
      ? await judgeStateNamed(one, await recordOperation(one), values.state ?? '', { seed: depth.seed })
      : await judgeFaultNamed(one, values.fault)
  console.log(`${one.name} ${verdict.id}: ${verdict.problems.length === 0 ? 'nothing is wrong' : 'VIOLATION'}`)
  for (const problem of verdict.problems) console.log(`  ${problem}`)
  if (verdict.inspection !== undefined) {
    const { before, after, repairLines } = verdict.inspection
    const show = (title: string, lines: readonly string[]): void => {
      for (const line of lines) console.log(`  ${title}: ${line}`)
    }
    for (const { lines } of before) show('check', lines)
    show('next open', repairLines)
    for (const { lines } of after) show('check after it', lines)
  }
  if (verdict.problems.length > 0) process.exitCode = 1
}

async function table(one: LabCase): Promise<void> {
  const recording = await recordOperation(one)
  const rows = await crashTable(one, recording)
  if (values.html !== undefined) writeFileSync(values.html, await htmlReport(one, recording, rows, depth.seed))
  console.log(values.json ? JSON.stringify({ operation: one.name, rows }, undefined, 2) : tableText(one, rows))
  if (rows.some(({ problems }) => problems.length > 0)) process.exitCode = 1
}

async function everything(): Promise<void> {
  const totals = await runAll(fileURLToPath(import.meta.url), depth, {
    jobs: Number(values.jobs),
    only: values.only,
    report: ({ name, states, faults, violations, milliseconds }) => {
      const found = violations.length === 0 ? '' : `  ${violations.length} VIOLATIONS`
      console.log(`${name}: ${states} states, ${faults} failing requests, ${milliseconds} ms${found}`)
      for (const violation of violations) console.log(`  ${violation}`)
    },
  })
  console.log(
    `seed ${depth.seed}: ${totals.cases} cases, ${totals.states} crash states, ${totals.faults} failing requests, ` +
      `${totals.violations.length} violations`,
  )
  if (totals.violations.length > 0) process.exitCode = 1
}

async function share(part: string): Promise<void> {
  const [index, count] = part.split('/').map(Number) as [number, number]
  const wanted = values.only === '' ? cases : casesNamed(values.only)
  for (const [at, one] of wanted.entries()) {
    if (at % count === index) process.stdout.write(`${JSON.stringify(await exploreCase(one, depth))}\n`)
  }
}

const name = values.operation ?? positionals[0]
if (values.list) for (const one of cases) console.log(`${one.name}  ${one.entry.title}`)
else if (values.share !== undefined) await share(values.share)
else if (values.all || name === 'all') await everything()
else if (values.log !== undefined) process.exitCode = await exploreLog(values.log, values.image, values)
else if (name === undefined) throw new Error('which operation? See pnpm crash-lab --list, or --all')
else if (values.state !== undefined || values.fault !== undefined) await again(chosen(name))
else await table(chosen(name))
