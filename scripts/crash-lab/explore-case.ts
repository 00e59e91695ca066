/** Explores one case of the table: every crash state, every failing request. */
import {
  exploreCrashes,
  exploreFaults,
  type FaultVariant,
  faultVariants,
  recordOperation,
} from '@blocklayer/block-core/testing'
import type { LabCase } from './table.ts'

/** What exploring a case came to. */
export interface CaseResult {
  readonly name: string
  readonly states: number
  readonly faults: number
  /** What is wrong, each with the command that brings it back. */
  readonly violations: readonly string[]
  readonly milliseconds: number
}

/** How much is looked at. */
export interface Depth {
  readonly seed: number
  /** Random states of a moment that has too many for all of them. */
  readonly samples: number
  readonly faults: boolean
}

/** On large disks, faults of writes and flushes that happen once or for good are enough. */
const fewVariants: readonly FaultVariant[] = faultVariants.filter(
  ({ code, kinds }) => code === 'EIO' && kinds?.[0] !== 'read' && kinds?.[0] !== 'resize',
)

/** All of it. */
export async function exploreCase(one: LabCase, { seed, samples, faults }: Depth): Promise<CaseResult> {
  const start = performance.now()
  const recording = await recordOperation(one)
  // Each look at a large disk takes long.
  const reduced = recording.before.content.length > 256 * 1024
  const limits = reduced ? { exhaustive: 128, samples: Math.ceil(samples / 16), each: 12 } : { samples }
  const crashes = await exploreCrashes(one, recording, { seed, ...limits, violationsMax: 20 })
  const failing =
    faults && one.entry.crashesOnly !== true
      ? await exploreFaults(one, { variants: reduced ? fewVariants : faultVariants })
      : { requests: 0, violations: [] }
  const command = `pnpm crash-lab --operation ${one.name}`
  return {
    name: one.name,
    states: crashes.states,
    faults: failing.requests,
    violations: [
      ...crashes.violations.map(
        ({ id, problems }) => `${command} --seed ${seed} --state '${id}'  # ${problems.join('; ')}`,
      ),
      ...failing.violations.map(({ id, problems }) => `${command} --fault ${id}  # ${problems.join('; ')}`),
    ],
    milliseconds: Math.round(performance.now() - start),
  }
}
