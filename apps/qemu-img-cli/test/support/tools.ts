/** The two tools that tests run: ours as built, and the reference. */

import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { runTool } from '../../src/run.ts'

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

/**
 * Runs our `qemu-img` in this process: as good as a process of its own for what it prints and writes, and much faster.
 * One at a time, because it stands in the folder meanwhile.
 */
export async function oursHere(args: readonly string[], { cwd }: RunOptions): Promise<Outcome> {
  const home = process.cwd()
  const said: { readonly out: string[]; readonly err: string[] } = { out: [], err: [] }
  const terminal = {
    out: (text: string) => void said.out.push(text),
    err: (text: string) => void said.err.push(text),
  }
  process.chdir(cwd)
  process.env.TZ = 'UTC'
  try {
    const status = await runTool({
      programName: 'qemu-img',
      args,
      terminal,
      directory: cwd,
      driverModules: process.env.BLOCKLAYER_DRIVERS,
      importModule: (specifier) => import(specifier),
    })
    return { stdout: said.out.join(''), stderr: said.err.join(''), status }
  } finally {
    process.chdir(home)
    // Each command that shows progress waits for this signal as long as its process lives.
    process.removeAllListeners('SIGUSR1')
  }
}

/** Runs the reference's `qemu-img` beside what this process does. */
export function referenceBeside(args: readonly string[], options: RunOptions): Promise<Outcome> {
  return runBeside('qemu-img', args, options)
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

function runBeside(command: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const settings = { cwd: options.cwd, env: environment(options), encoding: 'utf8', maxBuffer: 2 ** 28 } as const
    execFile(command, args, settings, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number' && error.signal === undefined) reject(error)
      else resolve({ stdout, stderr, status: error === null ? 0 : Number(error.code ?? 128) })
    })
  })
}

function environment(options: RunOptions): NodeJS.ProcessEnv {
  return { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8', ...options.env }
}

function run(command: string, args: readonly string[], options: RunOptions): Outcome {
  const env = environment(options)
  const { stdout, stderr, status, error } = spawnSync(command, args, {
    cwd: options.cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (error !== undefined) throw error
  return { stdout, stderr, status: status ?? 128 }
}
