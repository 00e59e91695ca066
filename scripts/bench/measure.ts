/** Runs one process and measures it: wall time and peak memory. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Tool } from '../lib/workspace.ts'

/** What one run took. */
export interface Measurement {
  /** Milliseconds from start to exit. */
  readonly wall: number
  /** Most memory that was resident at once, in bytes; 0 where the system does not tell. */
  readonly memory: number
}

/**
 * Runs `tool` with `args` in `cwd`.
 *
 * @throws Error when it does not exit with 0
 */
export async function measure(tool: Tool, cwd: string, ...args: string[]): Promise<Measurement> {
  const [program, ...first] = tool.command
  const start = performance.now()
  const child = spawn(program, [...first, ...args], { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  let memory = 0
  // VmHWM is a high-water mark, so the last look before the exit is all but exact.
  const timer = setInterval(() => {
    memory = Math.max(memory, highWaterMark(child.pid))
  }, 10)
  const end = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(signal ?? String(code)))
  })
  const wall = performance.now() - start
  clearInterval(timer)
  if (end !== '0') throw new Error(`${tool.name}: ${args.join(' ')} ended with ${end}`)
  return { wall, memory }
}

function highWaterMark(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
  } catch {
    // The process has just ended, or the system has no /proc: the mark seen last stands.
    return 0
  }
}

/** The middle value; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}
