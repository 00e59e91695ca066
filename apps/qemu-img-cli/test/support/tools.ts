/** The two tools that tests run: ours as built, and the reference. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** What a run left behind. */
export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  /** Exit status; 128 + n for a run that signal n ended. */
  readonly status: number
}

/** Our tool as users run it. */
export const oursPath: string = join(import.meta.dirname, '../../dist/qemu-img.js')

/** How to run a tool. */
export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs our `qemu-img`. */
export function ours(args: readonly string[], options: RunOptions): Outcome {
  return run(process.execPath, [oursPath, ...args], options)
}

/** Runs the reference's `qemu-img`. */
export function reference(args: readonly string[], options: RunOptions): Outcome {
  return run('qemu-img', args, options)
}

/** Runs a line of shell, for preparing images; its failure is the test's failure. */
export function shell(line: string, options: RunOptions): string {
  const outcome = run('sh', ['-ec', line], options)
  if (outcome.status !== 0) throw new Error(`${line}\n${outcome.stdout}${outcome.stderr}`)
  return outcome.stdout
}

/** Whether the reference is here. Where it is missing, tests that need it are skipped by name; in CI they fail. */
export const hasReference: boolean = spawnSync('qemu-img', ['--version']).status === 0

if (!hasReference && process.env.CI !== undefined) throw new Error('CI needs the reference: install qemu-utils')

/** Name of a suite that needs the reference, with the reason where it is skipped. */
export function needsReference(name: string): string {
  return hasReference ? name : `${name} (skipped: the reference's qemu-img is not installed)`
}

function run(command: string, args: readonly string[], options: RunOptions): Outcome {
  const env = { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8', ...options.env }
  const { stdout, stderr, status, error } = spawnSync(command, args, {
    cwd: options.cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (error !== undefined) throw error
  return { stdout, stderr, status: status ?? 128 }
}
