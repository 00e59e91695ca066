// Proves that a process that changes images may be killed at any moment of any operation: the reference then finds leaks at
// most (or the dirty bit), and the disk, its snapshots and its backing file show what they may. `pnpm kill-operations --kills
// 5000` is the same for longer.
import { expect, test } from 'vitest'
import { killFigures, killOperations } from '../scripts/kill-operations.ts'
import { isInstalled } from '../scripts/lib/workspace.ts'

// In CI every hit counts; on a desk a few tell whether all is well.
const kills = process.env.CI === undefined ? 40 : 200
const withoutReference = !process.env.CI && !isInstalled('qemu-img')

test.skipIf(withoutReference)(
  `${kills} kills at random moments${withoutReference ? ' (skipped: qemu-img is not installed)' : ''}`,
  { timeout: 600_000 },
  async () => {
    const seed = Number(process.env.BLOCKLAYER_SEED ?? 2014)
    console.log(`seed ${seed}: bring it back with BLOCKLAYER_SEED=${seed}`)
    const outcomes = await killOperations({ kills, seed, lanes: 2, report: () => undefined })
    console.log(killFigures(outcomes).join('\n'))
    expect(outcomes.flatMap(({ failures }) => failures)).toEqual([])
    expect(outcomes.filter(({ hit }) => hit !== undefined).length).toBeGreaterThanOrEqual(kills)
  },
)
