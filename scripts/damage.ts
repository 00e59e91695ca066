/**
 * `pnpm damage [TEXT]`: every damaged image, or those whose names contain TEXT, checked and mended by ours and by the
 * reference: same verdicts, and both clean afterwards. The tests do a third of the mutations, each once; this does each
 * on every shape of image that it fits, one shape after the other, and says how long each took.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { bases } from '../packages/driver-qcow2/test/damage/bases.ts'
import { allCases } from '../packages/driver-qcow2/test/damage/cases.ts'
import { root } from './lib/workspace.ts'

const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const text = process.argv[2]
const parts = text === undefined ? bases.map(({ name }) => `${name}: `) : [text]
for (const part of parts) {
  const start = performance.now()
  const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/damage/damage.test.ts'], {
    cwd: join(root, 'packages/driver-qcow2'),
    env: { ...process.env, DAMAGE: part },
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
  const count = allCases.filter(({ name }) => name.includes(part)).length
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  console.log(`${part}: ${count} images, ${seconds} s, ${status === 0 ? 'as expected' : 'FAILED'}`)
}
