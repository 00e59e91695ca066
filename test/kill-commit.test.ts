// Proves that a commit may be killed at any moment: the top then reads as before, no image is corrupt, and a second commit
// goes through. `pnpm kill-commit --kills 50` is the same with more kills and larger images.
import { expect, test } from 'vitest'
import { killCommits } from '../scripts/kill-commit.ts'
import { ours } from '../scripts/lib/workspace.ts'

test('8 kills at random moments', async () => {
  const seed = Number(process.env.BLOCKLAYER_SEED ?? 2014)
  console.log(`seed ${seed}: bring it back with BLOCKLAYER_SEED=${seed}`)
  const lines: string[] = []
  const plan = { kills: 8, seed, tool: ours, changedBytes: 24 << 20, report: (line: string) => lines.push(line) }
  const outcomes = await killCommits(plan)
  expect(
    outcomes.flatMap(({ failures }) => failures),
    `seed ${seed}\n${lines.join('\n')}`,
  ).toEqual([])
  expect(outcomes.filter(({ inFlight }) => inFlight)).toHaveLength(8)
})
