/** Runs lines of shell in which `OURS` is our tool, as a process with real pipes. */

import { spawnSync } from 'node:child_process'
import { oursPath } from '../../support/tools.ts'

/** What a line left. */
export interface StreamOutcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs `line` in `cwd`; a pipe fails if any of its programs does. */
export function runStream(line: string, cwd: string): StreamOutcome {
  const ours = `${process.execPath} ${oursPath}`
  const result = spawnSync('bash', ['-o', 'pipefail', '-c', line.replaceAll('OURS', ours)], { cwd, encoding: 'utf8' })
  return { code: result.status ?? -1, out: result.stdout, err: result.stderr }
}
