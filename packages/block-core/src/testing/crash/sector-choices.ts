/** What each sector may hold after a power cut, and how long each disk may be. */

import type { DiskChange } from './journal.ts'
import type { CrashMoment } from './moments.ts'
import { sectorBytes } from './scratch-disk.ts'

/** A sector of a disk that may hold something else than before. */
export interface SectorChoice {
  readonly disk: number
  /** Bytes. */
  readonly offset: number
  /** What it holds if none of the changes reached it. */
  readonly old: Uint8Array
  /** What it may hold instead, without doubles; the last one is what all changes in their order leave. */
  readonly outcomes: readonly Uint8Array[]
}

/** Length of one disk, once the resizes that were kept are done. */
export interface LengthChoice {
  readonly disk: number
  /** The shortest length on the way: what was behind it is gone. */
  readonly cut: number
  /** Lengths to choose from: the second is what writes of zeroes behind the end leave. */
  readonly lengths: readonly number[]
}

/** All choices that are left once it is settled which resizes reached the disk. */
export interface Choices {
  readonly lengths: readonly LengthChoice[]
  readonly sectors: readonly SectorChoice[]
}

/** Part of a sector that a change writes; `data` is absent for zeroes. */
interface Touch {
  readonly start: number
  end: number
  readonly data: Uint8Array | undefined
}

/** The choices at `moment` where those resizes were kept that `kept` tells. */
export function choicesAt(moment: CrashMoment, kept: (resize: DiskChange) => boolean): Choices {
  const lengths: LengthChoice[] = []
  const sectors: SectorChoice[] = []
  for (const [disk, durable] of moment.durable.entries()) {
    const changes = moment.doubtful.filter(
      (change) => change.disk === disk && (change.kind !== 'resize' || kept(change)),
    )
    if (changes.length === 0) continue
    const { touches, length, cut } = touchesOf(changes, durable.length)
    let zeroEnd = 0
    for (const [sector, list] of touches) {
      const offset = sector * sectorBytes
      const old = sectorOf(durable, offset, cut)
      const outcomes = outcomesOf(old, list)
      if (outcomes.length > 0) sectors.push({ disk, offset, old, outcomes })
      // Zeroes behind the end change nothing but the length.
      else zeroEnd = Math.max(zeroEnd, ...list.map(({ end, data }) => (data === undefined ? 0 : offset + end)))
    }
    lengths.push({ disk, cut, lengths: zeroEnd > length ? [length, zeroEnd] : [length] })
  }
  return { lengths, sectors }
}

function sectorOf(durable: Uint8Array, offset: number, cut: number): Uint8Array {
  const old = new Uint8Array(sectorBytes)
  old.set(durable.subarray(Math.min(offset, cut), Math.min(offset + sectorBytes, cut)))
  return old
}

interface Touches {
  readonly touches: ReadonlyMap<number, Touch[]>
  readonly length: number
  readonly cut: number
}

function touchesOf(changes: readonly DiskChange[], start: number): Touches {
  const touches = new Map<number, Touch[]>()
  let length = start
  let cut = start
  for (const change of changes) {
    if (change.kind === 'resize') {
      clip(touches, change.length)
      length = change.length
      cut = Math.min(cut, length)
      continue
    }
    const end = change.offset + (change.kind === 'write' ? change.data.length : change.bytes)
    for (let at = change.offset; at < end; ) {
      const sector = Math.floor(at / sectorBytes)
      const first = at - sector * sectorBytes
      const next = Math.min(end, (sector + 1) * sectorBytes)
      const data = dataOf(change, at, next)
      const list = touches.get(sector) ?? []
      list.push({ start: first, end: next - sector * sectorBytes, data })
      touches.set(sector, list)
      at = next
    }
  }
  return { touches, length, cut }
}

/** Zeroes that are written lengthen the disk, and those of a discard do not: only the former count as data. */
function dataOf(change: DiskChange, start: number, end: number): Uint8Array | undefined {
  if (change.kind === 'write') return change.data.subarray(start - change.offset, end - change.offset)
  return change.kind === 'zero' ? zeroes.subarray(0, end - start) : undefined
}

const zeroes = new Uint8Array(sectorBytes)

/** What was written behind the new end before the disk was cut is gone. */
function clip(touches: Map<number, Touch[]>, length: number): void {
  for (const [sector, list] of touches) {
    const end = length - sector * sectorBytes
    if (end >= sectorBytes) continue
    const left = list.flatMap((touch) => (touch.start < end ? [{ ...touch, end: Math.min(touch.end, end) }] : []))
    if (left.length === 0) touches.delete(sector)
    else touches.set(sector, left)
  }
}

/** Every content that some of the touches leave, in whatever order; none where all of them change nothing. */
function outcomesOf(old: Uint8Array, touches: readonly Touch[]): Uint8Array[] {
  const found: Uint8Array[] = []
  const add = (content: Uint8Array): void => {
    if (!same(content, old) && !found.some((other) => same(other, content))) found.push(content)
  }
  for (const order of orders(touches)) add(order.reduce(touched, old))
  const all = touches.reduce(touched, old)
  const rest = found.filter((content) => !same(content, all))
  return same(all, old) ? rest : [...rest, all]
}

/** Beyond so many arrangements of the touches of one sector, those that matter most are tried. */
const arrangementsMax = 4096

/** Subsets of the touches in every order; where there are too many, those in their own order that matter most. */
function orders(touches: readonly Touch[]): Touch[][] {
  const places = byPlace(touches)
  if (arrangementCount(places.map(({ length }) => length)) <= arrangementsMax) return arrangements(places)
  return touches.flatMap((one, index) => [
    [one],
    touches.filter((other) => other !== one),
    touches.slice(0, index + 1),
    touches.slice(index),
  ])
}

/** Touches that cover the same bytes, together: of those only the last to arrive can be seen. */
function byPlace(touches: readonly Touch[]): Touch[][] {
  const places = new Map<string, Touch[]>()
  for (const touch of touches) {
    const key = `${touch.start}-${touch.end}`
    places.set(key, [...(places.get(key) ?? []), touch])
  }
  return [...places.values()]
}

/** How many lists `arrangements` makes of places with so many touches each. */
function arrangementCount(sizes: readonly number[]): number {
  // Of each number of places, how many ways there are to choose them and a touch for each; in any order.
  const ways = [1]
  for (const size of sizes) {
    for (let chosen = ways.length; chosen > 0; chosen--) ways[chosen] = (ways[chosen] ?? 0) + size * ways[chosen - 1]!
  }
  let [sum, orders] = [0, 1]
  for (const [chosen, count] of ways.entries()) {
    orders *= Math.max(1, chosen)
    if (chosen > 0) sum += count * orders
  }
  return sum
}

/** At most one touch of each place, at least one in all, in every order. */
function arrangements(places: readonly Touch[][]): Touch[][] {
  return places.flatMap((place) => {
    const others = arrangements(places.filter((other) => other !== place))
    return place.flatMap((first) => [[first], ...others.map((rest) => [first, ...rest])])
  })
}

function touched(content: Uint8Array, { start, end, data }: Touch): Uint8Array {
  const next = content.slice()
  if (data === undefined) next.fill(0, start, end)
  else next.set(data.subarray(0, end - start), start)
  return next
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
