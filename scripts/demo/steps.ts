/** Prints what the demo does, step by step, with the time that each step took. */
import { spawnSync } from 'node:child_process'
import { cliPath } from '../lib/workspace.ts'

/** A finished step. */
export interface Step {
  readonly label: string
  readonly seconds: number
}

/** The steps so far, in order. */
export class Steps {
  readonly #done: Step[] = []

  /** All steps that have finished. */
  get done(): readonly Step[] {
    return this.#done
  }

  /** Runs one step; what it returns is printed behind the step's name. */
  async run(label: string, action: () => string | undefined | Promise<string | undefined>): Promise<void> {
    console.log(`\n▸ ${label}`)
    const start = performance.now()
    const note = await action()
    const seconds = (performance.now() - start) / 1000
    this.#done.push({ label, seconds })
    console.log(`  ${note === undefined || note === '' ? 'done' : note} (${seconds.toFixed(2)} s)`)
  }

  /** One line for each step, slow ones visible at a glance. */
  summary(): string {
    const width = Math.max(...this.#done.map(({ label }) => label.length))
    return this.#done
      .map(({ label, seconds }) => `  ${label.padEnd(width)}  ${seconds.toFixed(2).padStart(6)} s`)
      .join('\n')
  }
}

/**
 * Runs our qemu-img in `folder` with its output on the terminal, progress included, and shows the command first.
 *
 * @throws Error when the exit code is not 0
 */
export function show(folder: string, ...args: string[]): undefined {
  console.log(`  $ qemu-img ${args.join(' ')}`)
  const { status } = spawnSync(process.execPath, [cliPath, ...args], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) throw new Error(`qemu-img ${args[0]} ended with exit code ${status}`)
  return undefined
}
