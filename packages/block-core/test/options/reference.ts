/** Runs the reference's `qemu-img`, so that messages are compared with its own and not with our memory of them. */

import { spawnSync } from 'node:child_process'
import { describe } from 'vitest'

/** What a run of the reference printed. */
export interface ReferenceRun {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

const isInstalled = spawnSync('qemu-img', ['--version']).error === undefined

/** `describe` that fails in CI, and is skipped by name elsewhere, where `qemu-img` is not installed. */
export function describeWithReference(name: string, suite: () => void): void {
  if (isInstalled || process.env.CI !== undefined) describe(name, suite)
  else describe.skip(`${name} (qemu-img is not installed)`, suite)
}

/** Runs `qemu-img` in the current directory. */
export function qemuImg(...args: string[]): ReferenceRun {
  const { status, stdout, stderr, error } = spawnSync('qemu-img', args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  return { status, stdout, stderr }
}
