/** The lab's other half: an operation with its 1st, 2nd, 3rd … request failing, and what is left of image and node. */

import { BlockError } from '../../errors.ts'
import {
  FaultCounter,
  type FaultOptions,
  FaultStore,
  type FaultVariant,
  faultVariants,
  forEachFault,
} from '../fault-plan.ts'
import { GuestModel } from './guest-model.ts'
import type { GuestChange, JournalEntry } from './journal.ts'
import { filled } from '../patterns.ts'
import { DiskRecorder } from './recorder.ts'
import { ScratchDisk, sectorBytes } from './scratch-disk.ts'
import {
  closeOf,
  type CrashOperation,
  type OpenSubject,
  type Recording,
  RecordedGuest,
  recordOperation,
  viewOf,
} from './subject.ts'
import { inspectState, stateProblems } from './verdict.ts'

/** What one failing request led to. */
export interface FaultVerdict {
  /** Brings it back: `judgeFaultNamed`. As in `write:EIO:once:3`. */
  readonly id: string
  /** What is wrong, in words; empty where nothing is. */
  readonly problems: readonly string[]
}

/** What an exploration came to. */
export interface FaultExploration {
  /** Requests that were made to fail. */
  readonly requests: number
  readonly violations: readonly FaultVerdict[]
}

/** How to explore. */
export interface FaultExploreOptions {
  /** Default: all of `faultVariants`. */
  readonly variants?: readonly FaultVariant[]
  readonly onVerdict?: (verdict: FaultVerdict) => void
}

/**
 * Runs the operation with every request failing in turn, those of opening the image included, and judges what is left:
 * the failure is reported with its code; the node shows old or new content and goes on working, or is dead and says so; no
 * image is corrupt; what was flushed is there, and of the rest the old or the new; and whoever was told of no failure has
 * everything.
 */
export async function exploreFaults<Subject extends OpenSubject>(
  operation: CrashOperation<Subject>,
  options: FaultExploreOptions = {},
): Promise<FaultExploration> {
  const undisturbed = await recordOperation(operation)
  const violations: FaultVerdict[] = []
  const requests = await forEachFault(async (_, plan) => {
    const { hit, problems } = await attempt(operation, undisturbed, plan)
    const verdict = { id: faultName(plan), problems }
    if (problems.length > 0) violations.push(verdict)
    if (hit) options.onVerdict?.(verdict)
    return hit
  }, options.variants ?? faultVariants)
  return { requests, violations }
}

/** `write:EIO:once:3`: the kinds by their first, the code, once or for good, and the request's number. */
export function faultName({ kinds, code, forGood, index }: FaultOptions): string {
  return `${kinds?.[0] ?? 'change'}:${code ?? 'EIO'}:${forGood === true ? 'good' : 'once'}:${index}`
}

/** Judges one failing request again. @throws RangeError for a name that is none */
export async function judgeFaultNamed<Subject extends OpenSubject>(
  operation: CrashOperation<Subject>,
  id: string,
): Promise<FaultVerdict> {
  const index = Number(id.split(':')[3] ?? Number.NaN)
  const variant = faultVariants.find((one) => faultName({ ...one, index }) === id)
  if (variant === undefined) throw new RangeError(`'${id}' names no fault`)
  const { problems } = await attempt(operation, await recordOperation(operation), { ...variant, index })
  return { id, problems }
}

interface Attempt {
  readonly hit: boolean
  readonly problems: string[]
}

async function attempt<Subject extends OpenSubject>(
  operation: CrashOperation<Subject>,
  undisturbed: Recording,
  plan: FaultOptions,
): Promise<Attempt> {
  const counter = new FaultCounter()
  const stores = (await operation.prepare()).map((content) => new FaultStore(content, counter))
  const recorder = new DiskRecorder()
  const failures = new Failures()
  counter.arm(plan)
  const image = await failures.attempt(() => operation.open(stores, { readOnly: false, check: false, image: 0 }))
  const problems: string[] = []
  const { entries } = recorder.journal
  let ran = 0
  if (image !== undefined) {
    // What the lab itself reads is no request of the operation.
    const guest = new RecordedGuest(image, recorder, () => counter.quietly(() => viewOf(image)))
    await failures.attempt(() => operation.run(image, guest))
    // After a failure of its own, the operation makes no promise that a flush could keep.
    if (failures.count === 0 && operation.flushes !== false) await failures.attempt(() => guest.flush())
    if (plan.forGood !== true) counter.disarm()
    ran = changesOf(entries).length
    const model = modelOf(undisturbed, entries, ran)
    if (plan.forGood !== true && counter.hit) {
      problems.push(...(await nodeProblems(image, model)))
      if (operation.flushes !== false) problems.push(...(await writeProblems(image, guest)))
    }
    await failures.attempt(() => recorder.close(() => closeOf(image)))
  }
  const { hit } = counter
  counter.disarm()
  problems.push(...failures.problems(hit, plan))
  if (hit) problems.push(...(await leftProblems(operation, modelOf(undisturbed, entries, ran), stores)))
  return { hit, problems }
}

/** What is found by whoever opens the images next. */
async function leftProblems<Subject extends OpenSubject>(
  operation: CrashOperation<Subject>,
  model: GuestModel,
  stores: readonly FaultStore[],
): Promise<string[]> {
  try {
    const inspection = await inspectState(
      operation,
      stores.map((store) => new ScratchDisk(store.bytes())),
    )
    return stateProblems(inspection, model, Number.POSITIVE_INFINITY)
  } catch (error) {
    return [`it cannot be looked at: ${error instanceof Error ? error.message : String(error)}`]
  }
}

/**
 * A change that failed half way may have become what the undisturbed run made of it.
 *
 * @param ran - how many changes are the operation's own; what comes behind them is not in the undisturbed run
 */
function modelOf(undisturbed: Recording, entries: readonly JournalEntry[], ran: number): GuestModel {
  const known = changesOf(undisturbed.journal.entries).slice(0, ran)
  const mine = changesOf(entries)
  const mapped = entries.map((entry): JournalEntry => {
    if (entry.kind !== 'guest' || !('change' in entry)) return entry
    return { ...entry, change: known[mine.indexOf(entry.change)] ?? entry.change }
  })
  return new GuestModel(undisturbed.before, mapped)
}

/** Data that no operation writes. */
const probe = filled(0xa7, sectorBytes)

/** The node takes one more write, behind all that the operation does: whether it stays is judged with the rest. */
async function writeProblems(image: OpenSubject, guest: RecordedGuest): Promise<string[]> {
  const { disk } = image
  if (disk.root.ejected || disk.length < sectorBytes) return []
  const offset = Math.floor(disk.length / sectorBytes) * sectorBytes - sectorBytes
  try {
    // The facts may change with the content: a bitmap notes the write.
    if (image.facts === undefined) await guest.write(offset, probe)
    else await guest.act(() => disk.write(offset, probe))
    await guest.flush()
    return []
  } catch (error) {
    return [`the open node takes no more writes: ${error instanceof Error ? error.message : String(error)}`]
  }
}

function changesOf(entries: readonly JournalEntry[]): GuestChange[] {
  return entries.flatMap((entry) => (entry.kind === 'guest' && entry.event === 'begin' ? [entry.change] : []))
}

/** The node goes on working, or is dead and says so to everybody. */
async function nodeProblems(image: OpenSubject, model: GuestModel): Promise<string[]> {
  const { disk } = image
  if (disk.root.ejected) {
    const failures = new Failures()
    await failures.attempt(() => disk.read(0, new Uint8Array(512)))
    return failures.codes.join() === 'ENOMEDIUM' ? [] : ['the node is dead, and a read does not say so']
  }
  try {
    const problems = model.problems(await viewOf(image), Number.POSITIVE_INFINITY)
    await disk.flush()
    return problems.map((problem) => `through the open node: ${problem}`)
  } catch (error) {
    return [`the open node does not work any more: ${error instanceof Error ? error.message : String(error)}`]
  }
}

/** Failures of one attempt. */
class Failures {
  readonly #all: unknown[] = []

  get count(): number {
    return this.#all.length
  }

  get codes(): string[] {
    return this.#all.map((error) => (error instanceof BlockError ? error.code : String(error)))
  }

  async attempt<Result>(act: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await act()
    } catch (error) {
      this.#all.push(error)
      return undefined
    }
  }

  /**
   * The first failure has the code of the fault; later ones may say that the node is dead. A read that fails in a repair is
   * counted there, and what opens the image says `EIO`, as the reference does.
   */
  problems(hit: boolean, { code = 'EIO', kinds }: FaultOptions): string[] {
    const { codes } = this
    if (!hit) return codes.map((other) => `without a fault it failed: ${other}`)
    const allowed: readonly string[] = kinds?.includes('read') === true ? [code, 'EIO'] : [code]
    const wrong = codes.filter((other, index) => !allowed.includes(other) && (index === 0 || other !== 'ENOMEDIUM'))
    return wrong.map((other) => `the failure is reported as ${other}, not as ${code}`)
  }
}
