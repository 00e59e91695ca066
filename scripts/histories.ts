/**
 * `pnpm histories [--histories N] [--steps N] [--seed S] [--keep 1,2,3]`: random histories beside the reference.
 *
 * Plays N histories (100) of so many steps (50), from seed S (1) on, to ours and to the reference, and ends with 1 if they
 * differ in anything. A history that fails is shortened, and the line that plays the short one is printed.
 */
import { parseArgs } from 'node:util'
import { playHistory } from '../test/histories/run.ts'
import { shrinkHistory } from '../test/histories/shrink.ts'

const { values } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== '--'),
  options: {
    histories: { type: 'string' },
    steps: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'string' },
  },
})
const steps = Number(values.steps)
const first = Number(values.seed)
const keep = values.keep?.split(',').map(Number)
const count = Number(values.histories ?? (keep === undefined ? 100 : 1))
const totals = { played: 0, refused: 0, failed: 0 }
const byKind: Record<string, number> = {}
const ends: Record<string, number> = {}
const start = performance.now()
for (let seed = first; seed < first + count; seed++) {
  const result = await playHistory({ seed, steps, keep })
  totals.played += result.played
  totals.refused += result.refused
  for (const [kind, times] of Object.entries(result.byKind)) byKind[kind] = (byKind[kind] ?? 0) + times
  if (result.ended !== undefined) ends[result.ended] = (ends[result.ended] ?? 0) + 1
  if (result.failure === undefined) continue
  totals.failed++
  console.log(`seed ${seed} (${result.layout}), step ${result.failure.step}: ${result.failure.what}`)
  if (keep === undefined) {
    const short = await shrinkHistory({ seed, steps })
    console.log(`  shortened: ${short.failure}`)
    console.log(`  pnpm histories -- --seed ${seed} --steps ${steps} --keep ${short.keep.join()}`)
  }
}
const seconds = ((performance.now() - start) / 1000).toFixed(1)
const kinds = Object.entries(byKind).map(([kind, times]) => `${times} ${kind}`)
console.log(`${count} histories from seed ${first} on, ${totals.failed} failed; ${seconds} s`)
console.log(`${totals.played} steps, ${totals.refused} refused by both: ${kinds.join(', ')}`)
for (const [reason, times] of Object.entries(ends)) console.log(`${times} ended early: ${reason}`)
process.exitCode = totals.failed === 0 ? 0 : 1
