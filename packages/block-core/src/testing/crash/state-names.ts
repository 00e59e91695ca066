/**
 * Names of the states of one moment, and how a state is built from its name.
 *
 * | name | state |
 * |---|---|
 * | `x17` | number 17 of all states (only where they are counted out) |
 * | `none`, `all` | none of the unflushed requests, or all of them in their order |
 * | `w0,3` | the unflushed requests 0 and 3 and no others |
 * | `w!3` | all but request 3 |
 * | `w<3` | requests 0 to 3 |
 * | `s5.2`, `s!5`, `s<5` | the same for choice 5 among the sectors that may have changed; `.2` is its outcome |
 * | `r17` | a random choice, number 17 of the seed |
 */

import { random } from '../seed.ts'
import { applyChange, type DiskChange } from './journal.ts'
import type { CrashMoment } from './moments.ts'
import type { ScratchDisk } from './scratch-disk.ts'
import { type Choices, choicesAt } from './sector-choices.ts'

/** Which states are shown. */
export interface DiskStateOptions {
  /** Chooses the sample where there are too many; default 1. */
  readonly seed?: number
  /** Where a moment has no more states than this, all of them are shown; default 4096. */
  readonly exhaustive?: number
  /** Random states of a moment with more; default 64. */
  readonly samples?: number
  /** Of a moment with more, sectors that are tried alone, missing and last: at most so many; default 64. */
  readonly each?: number
  /** The same for requests; default 4096. */
  readonly eachRequest?: number
  /** Only moments whose position is at least this; default 0. */
  readonly from?: number
  /** States with the same content and the same value of this are shown once. Default: the moment's number. */
  readonly model?: (moment: CrashMoment) => string
}

/** The choices of one moment, by which resizes were kept. */
export class StatePlan {
  readonly moment: CrashMoment
  readonly seed: number
  /** Sets of resizes that may have reached the disk; the last one has all. */
  readonly frames: readonly (readonly DiskChange[])[]
  readonly #choices: (Choices | undefined)[] = []

  constructor(moment: CrashMoment, seed: number) {
    this.moment = moment
    this.seed = seed
    const resizes = moment.doubtful.filter(({ kind }) => kind === 'resize')
    this.frames =
      resizes.length <= 3
        ? Array.from({ length: 2 ** resizes.length }, (_, mask) => resizes.filter((_, bit) => (mask >> bit) % 2 === 1))
        : Array.from({ length: resizes.length + 1 }, (_, count) => resizes.slice(0, count))
  }

  /** The choices with the resizes of frame `index`. */
  choices(index: number): Choices {
    const known = this.#choices[index]
    if (known !== undefined) return known
    const kept = this.frames[index]!
    const choices = choicesAt(this.moment, (resize) => kept.includes(resize))
    this.#choices[index] = choices
    return choices
  }

  /** How many states frame `index` has; beyond 2^53 not exact. */
  count(index: number): number {
    const { sectors, lengths } = this.choices(index)
    const counts = [...sectors.map(({ outcomes }) => outcomes.length + 1), ...lengths.map((one) => one.lengths.length)]
    return counts.reduce((product, count) => product * count, 1)
  }
}

/** Names of all states of the moment, or of the sample. */
export function* namesAt(plan: StatePlan, options: DiskStateOptions): Generator<string> {
  const total = plan.frames.reduce((sum, _, index) => sum + plan.count(index), 0)
  if (total <= (options.exhaustive ?? 4096)) {
    for (let index = 0; index < total; index++) yield `x${index}`
    return
  }
  yield* ['none', 'all']
  const requests = sample(plan.moment.doubtful.length, options.eachRequest ?? 4096, plan.seed)
  for (const form of ['w', 'w!', 'w<']) for (const index of requests) yield `${form}${index}`
  const { sectors } = plan.choices(plan.frames.length - 1)
  const some = sample(sectors.length, options.each ?? 64, plan.seed)
  for (const index of some) for (const outcome of sectors[index]!.outcomes.keys()) yield `s${index}.${outcome}`
  for (const form of ['s!', 's<']) for (const index of some) yield `${form}${index}`
  for (let index = 0; index < (options.samples ?? 64); index++) yield `r${index}`
}

/** All of `count` numbers, or every so many-th, beginning where the seed says. */
function sample(count: number, limit: number, seed: number): number[] {
  const step = Math.max(1, Math.ceil(count / limit))
  const start = step === 1 ? 0 : random(seed).below(step)
  return Array.from({ length: count }, (_, index) => index).filter((index) => index % step === start)
}

/** Builds the state on disks that hold what is durable. @throws RangeError for a name that is none */
export function buildState(plan: StatePlan, name: string, disks: readonly ScratchDisk[]): void {
  const [, form, first, rest] = /^(none|all|x|r|w!?|w<|s!?|s<)(\d*)((?:[.,]\d+)*)$/.exec(name) ?? []
  const { doubtful } = plan.moment
  const index = Number(first ?? '')
  const apply = (kept: (index: number) => boolean): void => {
    for (const [at, change] of doubtful.entries()) if (kept(at)) applyChange(disks[change.disk]!, change)
  }
  if (form === undefined || (first === '' && form !== 'none' && form !== 'all')) {
    throw new RangeError(`'${name}' names no crash state`)
  }
  const others = (rest ?? '').split(',').filter(Boolean).map(Number)
  if (form === 'all') apply(() => true)
  else if (form === 'w') apply((at) => at === index || others.includes(at))
  else if (form === 'w!') apply((at) => at !== index)
  else if (form === 'w<') apply((at) => at <= index)
  else if (form === 'x') buildCounted(plan, index, disks)
  else if (form === 'r') buildRandom(plan, index, disks)
  else if (form !== 'none') buildSectors(plan, { form, index, outcome: Number((rest ?? '').slice(1)) }, disks)
}

/** Number `index` in mixed radix: frames first, then lengths, then sectors. */
function buildCounted(plan: StatePlan, index: number, disks: readonly ScratchDisk[]): void {
  let left = index
  let frame = 0
  while (frame < plan.frames.length && left >= plan.count(frame)) left -= plan.count(frame++)
  if (frame === plan.frames.length) throw new RangeError(`'x${index}' names no crash state`)
  const digit = (radix: number): number => {
    const value = left % radix
    left = Math.floor(left / radix)
    return value
  }
  setLengths(plan.choices(frame), disks, digit)
  setSectors(plan.choices(frame), disks, (_, count) => digit(count + 1) - 1)
}

function buildRandom(plan: StatePlan, index: number, disks: readonly ScratchDisk[]): void {
  const choose = random(Math.imul(plan.seed, 0x9e3779b1) + Math.imul(plan.moment.number, 0x85ebca77) + index)
  const choices = plan.choices(choose.below(plan.frames.length))
  const density = choose.pick([0.1, 0.5, 0.5, 0.9])
  setLengths(choices, disks, (count) => choose.below(count))
  setSectors(choices, disks, (_, count) => (choose.chance(density) ? choose.below(count) : -1))
}

interface SectorName {
  readonly form: string
  readonly index: number
  readonly outcome: number
}

/** Sectors alone are shown without the resizes, the other two forms with them. */
function buildSectors(plan: StatePlan, { form, index, outcome }: SectorName, disks: readonly ScratchDisk[]): void {
  const choices = plan.choices(plan.frames.length - 1)
  if (choices.sectors[index]?.outcomes[outcome] === undefined) {
    throw new RangeError(`there is no sector ${index} with outcome ${outcome} to choose`)
  }
  if (form === 's') {
    setSectors(choices, disks, (at) => (at === index ? outcome : -1))
    return
  }
  setLengths(choices, disks, (count) => count - 1)
  setSectors(choices, disks, (at, count) => ((form === 's!' ? at !== index : at <= index) ? count - 1 : -1))
}

function setLengths({ lengths }: Choices, disks: readonly ScratchDisk[], pick: (count: number) => number): void {
  for (const { disk, cut, lengths: ends } of lengths) {
    const store = disks[disk]!
    if (cut < store.length) store.resize(cut)
    store.resize(ends[pick(ends.length)]!)
  }
}

/** @param pick - the outcome of the sector at an index, or -1 for the old content */
function setSectors(
  { sectors }: Choices,
  disks: readonly ScratchDisk[],
  pick: (index: number, count: number) => number,
): void {
  for (const [index, { disk, offset, outcomes }] of sectors.entries()) {
    const outcome = outcomes[pick(index, outcomes.length)]
    if (outcome === undefined) continue
    const store = disks[disk]!
    const end = Math.max(store.length, offset + usedBytes(outcome))
    store.write(offset, outcome)
    // A sector at the end may be written in part: the file does not get longer than what was written.
    if (store.length > end) store.resize(end)
  }
}

function usedBytes(sector: Uint8Array): number {
  let end = sector.length
  while (end > 0 && sector[end - 1] === 0) end--
  return end
}
