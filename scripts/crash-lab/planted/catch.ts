/** Looks for the first crash state in which a planted bug shows. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type CrashVerdict, exploreCrashes, type Recording, recordOperation } from '@blocklayer/block-core/testing'
import { entries } from '../operations.ts'
import type { ImageNode } from '../qcow2-subject.ts'
import { casesOf, type LabCase } from '../table.ts'
import type { PlantedBug } from './bug.ts'
import { mutatedDriver } from './mutated-driver.ts'

/** What came of a planted bug. */
export interface Catch {
  readonly bug: PlantedBug
  /** States that were looked at, up to the first wrong one. */
  readonly states: number
  /** The first wrong state; `undefined`: the bug was missed. */
  readonly verdict: CrashVerdict | undefined
}

/** Seed of the sample where a moment has too many states. */
const seed = 1

/**
 * Runs the operation with the bug, and judges what a power cut would leave of it by the driver as it is shipped.
 *
 * @param folder - exists; each bug takes a folder of its own in it
 */
export async function catchBug(bug: PlantedBug, folder: string): Promise<Catch> {
  const shipped = caseNamed(bug.operation)
  const recording = await recordingOf(bug, folder)
  const { states, violations } = await exploreCrashes(shipped, recording, { seed, exhaustive: 1024, violationsMax: 1 })
  return { bug, states, verdict: violations[0] }
}

async function recordingOf({ change, operation, title }: PlantedBug, folder: string): Promise<Recording> {
  if ('journal' in change) return change.journal(await recordOperation(caseNamed(operation)))
  const own = join(folder, title.replaceAll(/[^a-zA-Z0-9]+/g, '-'))
  mkdirSync(own)
  return await recordOperation(caseNamed(operation, { node: await mutatedDriver(own, change) }))
}

/** The case `name` of the operations table. @throws Error where there is none */
export function caseNamed(name: string, how: { readonly node?: ImageNode } = {}): LabCase {
  const [entryName] = name.split('/')
  const entry = entries.find((one) => one.name === entryName)
  const found = entry && casesOf(entry, how).find((one) => one.name === name)
  if (found === undefined) throw new Error(`there is no operation ${name}`)
  return found
}
