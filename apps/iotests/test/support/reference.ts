/** The reference tools. Where they are missing, tests that need them are skipped by name; in CI they fail. */

import { type SpawnSyncReturns, spawnSync } from 'node:child_process'

/** Whether both tools are installed. */
export const hasReference: boolean = ['qemu-img', 'qemu-io'].every(
  (tool) => spawnSync(tool, ['--version']).status === 0,
)

if (!hasReference && process.env.CI !== undefined) throw new Error('CI needs the reference: install qemu-utils')

/** Name of a suite that needs the reference, with the reason where it is skipped. */
export function needsReference(name: string): string {
  return hasReference ? name : `${name} (skipped: the reference's qemu-img and qemu-io are not installed)`
}

/** Runs a reference tool to its end. */
export function reference(tool: 'qemu-img' | 'qemu-io', ...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(tool, args, { encoding: 'utf8' })
}
