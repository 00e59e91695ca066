/**
 * `pnpm damage [TEXT]`: every damaged image, or those whose names contain TEXT, checked and mended by ours and by the
 * reference: same verdicts, and both clean afterwards, or damaged for good in a way that is listed. The tests do three
 * mutations of four, each once; this does each on every shape of image that it fits. An image that ours does not finish
 * in time is a finding, and so is one that takes long, or too much memory.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { allCases } from '../packages/driver-qcow2/test/damage/cases.ts'
import type { Judged } from '../packages/driver-qcow2/test/damage/judge-process.ts'
import { root } from './lib/workspace.ts'

/** An image that has not been judged by then, the reference's four checks of at most 20 s included, has hung. */
const patience = 180_000
/** Ours should not need longer for its four checks. */
const slow = 10_000
/** MiB; a process that does nothing takes nearly 100 more. */
const memoryMax = 156

/** A process that judges, and what it says. */
class Judge {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: Interface
  readonly #said: AsyncIterator<string>

  constructor() {
    const script = join(root, 'packages/driver-qcow2/test/damage/judge-process.ts')
    const options = ['--conditions=@blocklayer/source', '--no-warnings', '--expose-gc', script]
    this.#child = spawn(process.execPath, options, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })
    this.#said = this.#lines[Symbol.asyncIterator]()
  }

  /** The verdict on an image; a word where there is none, and this process is of no use any more. */
  async judge(name: string): Promise<Judged | 'hang' | 'crash'> {
    this.#child.stdin.write(`${name}\n`)
    let hung = false
    const timer = setTimeout(() => {
      hung = true
      this.#child.kill('SIGKILL')
    }, patience)
    const { value, done } = await this.#said.next()
    clearTimeout(timer)
    if (done === true) return hung ? 'hang' : 'crash'
    return JSON.parse(value) as Judged
  }

  end(): void {
    this.#child.stdin.end()
  }
}

const text = process.argv[2]
const cases = allCases.filter(({ name }) => text === undefined || name.includes(text))
const start = performance.now()
const counts = { disagreements: 0, crashes: 0, hangs: 0, slow: 0, 'too much memory': 0 }
let most = 0
let judge = new Judge()
for (const [at, { name }] of cases.entries()) {
  const judged = await judge.judge(name)
  if (typeof judged === 'string') {
    counts[judged === 'hang' ? 'hangs' : 'crashes']++
    console.log(`${name}: ${judged}`)
    judge = new Judge()
    continue
  }
  const { milliseconds, memory } = judged.cost
  most = Math.max(most, memory)
  if (judged.found.length > 0) counts.disagreements++
  for (const { about, ours, theirs } of judged.found) {
    console.log(`${name}: ${about}\n  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}`)
  }
  if (milliseconds > slow) {
    counts.slow++
    console.log(`${name}: ${(milliseconds / 1000).toFixed(1)} s`)
  }
  // What a process has taken for one image it may keep: the next one starts with a new one.
  if (memory > 64) {
    judge.end()
    judge = new Judge()
  }
  if (memory > memoryMax) {
    counts['too much memory']++
    console.log(`${name}: ${memory.toFixed(0)} MiB`)
  }
  if ((at + 1) % 250 === 0) console.log(`${at + 1} of ${cases.length} images, ${seconds()} s`)
}
judge.end()
const sum = Object.entries(counts).map(([what, count]) => `${what}: ${count}`)
console.log(`${cases.length} images, ${seconds()} s, at most ${most.toFixed(0)} MiB each; ${sum.join(', ')}`)
if (Object.values(counts).some((count) => count > 0)) process.exitCode = 1

function seconds(): string {
  return ((performance.now() - start) / 1000).toFixed(0)
}
