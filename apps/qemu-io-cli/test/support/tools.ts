/** The two programs: ours, in this process or as built, and the reference. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { nodeHost } from '../../src/node-host.ts'
import { runTool } from '../../src/run.ts'

/** What a run left behind. */
export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  /** Exit status; 128 + n for a run that signal n ended. */
  readonly status: number
}

/** Our program as users run it. */
export const oursPath: string = join(import.meta.dirname, '../../dist/qemu-io.js')

/** Whether the reference is here. Where it is missing, tests that need it are skipped by name; in CI they fail. */
export const hasReference: boolean = spawnSync('qemu-io', ['--version']).status === 0

if (!hasReference && process.env.CI !== undefined) throw new Error('CI needs the reference: install qemu-utils')

/** Name of a suite that needs the reference, with the reason where it is skipped. */
export function needsReference(name: string): string {
  return hasReference ? name : `${name} (skipped: the reference's qemu-io is not installed)`
}

/** Runs a program to its end. @param input - its standard input; nothing by default */
export function runProcess(command: readonly [string, ...string[]], cwd: string, input = ''): Outcome {
  const [program, ...args] = command
  const env = { ...process.env, LC_ALL: 'C.UTF-8' }
  const found = spawnSync(program, args, { cwd, env, input, encoding: 'utf8', maxBuffer: 2 ** 28, timeout: 30_000 })
  if (found.error !== undefined) throw found.error
  const { stdout, stderr, status, signal } = found
  return { stdout, stderr, status: status ?? 128 + signalNumber(signal) }
}

/** Runs a line of shell, for preparing images; its failure is the test's failure. */
export function shell(line: string, cwd: string): string {
  const outcome = runProcess(['sh', '-ec', line], cwd)
  if (outcome.status !== 0) throw new Error(`${line}\n${outcome.stdout}${outcome.stderr}`)
  return outcome.stdout
}

/** Runs our program in this process, which stands in `folder` meanwhile. */
export async function runHere(args: readonly string[], folder: string, input = ''): Promise<Outcome> {
  const before = process.cwd()
  process.chdir(folder)
  const printed = { out: '', err: '' }
  const terminal = {
    out(text: string) {
      printed.out += text
    },
    err(text: string) {
      printed.err += text
    },
    flush: () => {},
    discard: () => {},
  }
  const rest = input === '' ? [] : input.replace(/\n$/, '').split('\n')
  const lines = async (prompt: string) => ({
    async next() {
      terminal.out(prompt)
      return rest.shift()
    },
    close: () => {},
  })
  try {
    const host = nodeHost(terminal)
    const importModule = (specifier: string): Promise<object> => import(specifier)
    const given = { programName: 'qemu-io', args, directory: folder, driverModules: undefined }
    const call = { ...given, terminal, host, lines, importModule }
    const status = await runTool(call)
    return { stdout: printed.out, stderr: printed.err, status }
  } finally {
    process.chdir(before)
  }
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return { SIGABRT: 6, SIGKILL: 9, SIGTERM: 15, SIGUSR1: 10, SIGINT: 2 }[signal as string] ?? 0
}
