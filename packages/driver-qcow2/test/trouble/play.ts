/** A random history on an image whose requests fail now and then, and whose power fails now and then. */

import { BlockError } from '@blocklayer/block-core/driver'
import { random } from '@blocklayer/block-core/testing'
import { changes } from './changes.ts'
import { Patient, Violation } from './patient.ts'
import { type Action, requests } from './requests.ts'
import { type Shape, shapeOf } from './shape.ts'
import { closeAndLook, cut, switchMode } from './visits.ts'

/** What a history came to. */
export interface Played {
  /** Requests that failed. */
  readonly failedRequests: number
  readonly log: readonly string[]
}

const actions: Readonly<Record<string, Action>> = {
  ...requests,
  ...changes,
  cut,
  reopen: (patient) => {
    if (patient.choose.chance(0.5)) patient.weather.calm()
    return patient.choose.chance(0.5) ? switchMode(patient) : closeAndLook(patient, 'reopened')
  },
}

/** How often what is done. */
const weights: readonly (readonly [string, number])[] = [
  ['write', 10],
  ['zero', 4],
  ['discard', 4],
  ['together', 4],
  ['compressed', 3],
  ['flush', 3],
  ['read', 4],
  ['snapshot', 2],
  ['apply', 1],
  ['delete', 1],
  ['truncate', 2],
  ['amend', 1],
  ['vmstate', 1],
  ['check', 1],
  ['reopen', 1],
  ['bitmap', 1],
  ['record', 1],
  ['empty', 0.3],
]

/**
 * Plays a history.
 *
 * @param steps - things that are done
 * @throws Error with the log, where the image does what it must not
 */
export async function play(seed: number, steps: number, given: Partial<Shape> = {}): Promise<Played> {
  const choose = random(seed)
  const shape = { ...shapeOf(choose), ...given }
  const patient = new Patient(choose, shape)
  const log = [`seed ${seed}: ${JSON.stringify(shape)}`]
  try {
    await patient.make()
    for (let step = 0; step < steps; step++) log.push(`${step}: ${await within(takeStep(patient))}`)
    patient.weather.calm()
    await closeAndLook(patient, 'in the end')
    await patient.opened.close()
  } catch (error) {
    throw new Error(`${error}\n${log.join('\n')}`, { cause: error })
  }
  return { failedRequests: patient.failedRequests, log }
}

async function takeStep(patient: Patient): Promise<string> {
  const { choose, weather } = patient
  if (choose.chance(0.35)) patient.storm()
  else if (choose.chance(0.5)) weather.calm()
  const kind = patient.shape.cuts && choose.chance(0.03) ? 'cut' : chooseKind(choose.below(1e6) / 1e6)
  const failures = weather.failures
  let outcome: string
  try {
    outcome = await actions[kind]!(patient)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    if (error.code !== 'ENOMEDIUM') throw new Violation(`${kind} ended with ${error}`)
    outcome = `dead; ${await closeAndLook(patient, 'dead')}`
  }
  patient.requireNoCorruption()
  return `${kind} ${outcome} (${weather.failures - failures} failures)`
}

/** @param part - from 0 to below 1 */
function chooseKind(part: number): string {
  let rest = part * weights.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [kind, weight] of weights) {
    rest -= weight
    if (rest < 0) return kind
  }
  return 'flush'
}

/** A request that never ends is a violation too; nothing here takes a thousandth of this. */
async function within<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Violation('it hangs')), 60_000)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
