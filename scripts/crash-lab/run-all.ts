/** Explores all cases of the table in several processes. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { CaseResult, Depth } from './explore-case.ts'

/** Sums of all cases. */
export interface LabTotals {
  readonly cases: number
  readonly states: number
  readonly faults: number
  readonly violations: readonly string[]
}

/** Starts `jobs` processes, each of which takes every so many-th case, and tells of each case as it is done. */
export async function runAll(
  script: string,
  { seed, samples, faults, full }: Depth,
  { jobs, only, report }: { jobs: number; only: string; report: (result: CaseResult) => void },
): Promise<LabTotals> {
  const results: CaseResult[] = []
  const shares = Array.from({ length: jobs }, (_, index) => {
    const args = [
      '--conditions=@blocklayer/source',
      script,
      '--share',
      `${index}/${jobs}`,
      '--seed',
      String(seed),
      '--samples',
      String(samples),
      ...(faults ? [] : ['--no-faults']),
      ...(full ? ['--full'] : []),
      ...(only === '' ? [] : ['--only', only]),
    ]
    return runShare(args, (result) => {
      results.push(result)
      report(result)
    })
  })
  await Promise.all(shares)
  return {
    cases: results.length,
    states: results.reduce((sum, { states }) => sum + states, 0),
    faults: results.reduce((sum, result) => sum + result.faults, 0),
    violations: results.flatMap(({ violations }) => violations),
  }
}

function runShare(args: readonly string[], onResult: (result: CaseResult) => void): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  createInterface({ input: child.stdout }).on('line', (line) => onResult(JSON.parse(line) as CaseResult))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`a share of the crash lab ended with ${code}: ${args.join(' ')}`))
    })
  })
}
