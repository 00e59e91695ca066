/** Runs one program to its end, or ends it. */

import { spawn } from 'node:child_process'
import type { Command } from './tool-set.ts'

/** What a program left behind. */
export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  /** Exit status; 128 + n for a program that signal n ended; `undefined` if it had to be ended after its time. */
  readonly status: number | undefined
}

/** Where and how long a program runs. */
export interface ProcessOptions {
  readonly cwd: string
  /** Milliseconds until it is ended by SIGKILL, with all that it started. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
}

/**
 * Runs `command` with `args`, without a shell and without standard input, in UTC and the C locale.
 *
 * @throws Error where the program cannot be started; the signal's reason where that was given
 */
export async function runProcess(command: Command, args: readonly string[], options: ProcessOptions): Promise<Outcome> {
  options.signal?.throwIfAborted()
  const [program, ...first] = command
  const child = spawn(program, [...first, ...args], {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that ending it also ends what it started.
    detached: true,
  })
  const killGroup = (): void => {
    if (child.pid !== undefined) killAll(child.pid)
  }
  let expired = false
  const timer = setTimeout(() => {
    expired = true
    killGroup()
  }, options.timeout)
  options.signal?.addEventListener('abort', killGroup)
  try {
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
    const status = await new Promise<number>((done, fail) => {
      child.once('error', fail)
      child.once('close', (code, signal) => done(code ?? 128 + (signalNumbers[signal ?? ''] ?? 0)))
    })
    options.signal?.throwIfAborted()
    return { stdout: stdout(), stderr: stderr(), status: expired ? undefined : status }
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', killGroup)
  }
}

function killAll(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch (error) {
    // It ended by itself in this very moment.
    if ((error as { code?: unknown }).code !== 'ESRCH') throw error
  }
}

/** Collects a stream; the function returned gives its text so far. */
function collect(stream: NodeJS.ReadableStream): () => string {
  const parts: Uint8Array[] = []
  stream.on('data', (part: Uint8Array) => parts.push(part))
  return () => Buffer.concat(parts).toString('utf8')
}
