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
  /** Nothing is spared: each sector alone, missing and last, and every kind of failure, whatever the disk's size. */
  readonly full: boolean
}

/** Which states are shown of moments that have more than 4096, and which faults are tried. */
interface Limits {
  readonly samples: number
  readonly each?: number
  readonly eachRequest?: number
  readonly variants: readonly FaultVariant[]
}

/** On large disks, where each look takes long: the code with which a request fails changes nothing in what is left. */
const fewVariants: readonly FaultVariant[] = faultVariants.filter(({ code }) => code === 'EIO')

function limitsOf(disk: Uint8Array, { samples, full }: Depth): Limits {
  if (full) {
    const all = Number.POSITIVE_INFINITY
    return { samples, each: all, eachRequest: all, variants: faultVariants }
  }
  if (disk.length <= 256 * 1024) return { samples, variants: faultVariants }
  return { samples: Math.ceil(samples / 16), each: 12, variants: fewVariants }
}

/** All of it. */
export async function exploreCase(one: LabCase, depth: Depth): Promise<CaseResult> {
  const { seed, faults } = depth
  const start = performance.now()
  const recording = await recordOperation(one)
  const { variants, ...limits } = limitsOf(recording.before.content, depth)
  const crashes = await exploreCrashes(one, recording, { seed, ...limits, violationsMax: 20 })
  const failing =
    faults && one.entry.crashesOnly !== true ? await exploreFaults(one, { variants }) : { requests: 0, violations: [] }
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
