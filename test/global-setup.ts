/** Runs once before all tests of the workspace: each test that runs our tools then runs what the sources say. */
import { join } from 'node:path'
import { ensureBuilt, ensureCli, root } from '../scripts/lib/workspace.ts'

/** Builds the tools where they are missing or stale; in one place, since tests run side by side. */
export function setup(): void {
  ensureCli()
  ensureBuilt('qemu-io-cli', join(root, 'apps/qemu-io-cli/dist/qemu-io.js'))
  ensureBuilt('iotests', join(root, 'apps/iotests/dist/iotests.js'))
}
