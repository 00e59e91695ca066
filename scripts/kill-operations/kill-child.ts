/** One process that works on an image and is killed. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Operation, ReportLine } from './operation.ts'

/** What the process reported before its end. */
export interface Killed {
  /** Operations that ended, in order. */
  readonly done: readonly Operation[]
  /** The one that was under way. */
  readonly inFlight: Operation | undefined
  /** Operations that the image refused, as it may. */
  readonly refused: number
  /** What went wrong before the signal came; empty as it should be. */
  readonly failures: readonly string[]
}

/** Runs `program` and kills it `delay` milliseconds after its first operation began. */
export async function runAndKill(program: string, args: readonly string[], delay: number): Promise<Killed> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<NodeJS.Signals | number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? code))
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const done: Operation[] = []
  const failures: string[] = []
  let inFlight: Operation | undefined
  let refused = 0
  let timer: NodeJS.Timeout | undefined
  for await (const text of createInterface({ input: child.stdout })) {
    timer ??= setTimeout(() => child.kill('SIGKILL'), delay)
    const line = JSON.parse(text) as ReportLine
    if ('begun' in line) {
      inFlight = line.begun
      continue
    }
    if ('failed' in line) failures.push(`${JSON.stringify(inFlight)}: ${line.failed}`)
    else if ('refused' in line) refused++
    else done.push(inFlight!)
    inFlight = undefined
  }
  const end = await ended
  clearTimeout(timer)
  if (end !== 'SIGKILL') failures.push(`the process ended by itself: ${end}: ${errors}`)
  return { done, inFlight, refused, failures }
}
