/** What a guest may see after a power cut: what it flushed, and of everything since, the old or the new. */

import { sectorBytes } from './scratch-disk.ts'
import type { GuestChange, GuestEvent, JournalEntry } from './journal.ts'

/** What a guest saw: its disk, and facts of which each has one value at a time. */
export interface GuestView {
  readonly content: Uint8Array
  /** The disk's length, its snapshots, its backing file …: whatever else must be old or new, by name. */
  readonly facts: Readonly<Record<string, string>>
}

/**
 * A fact with this value says itself that it is not to be trusted: it contradicts nothing of what there may be. Once the
 * image was closed no fact may say so that did not say so before, and one that is not to be there never may.
 */
export const unknownFact = '?'

/** The value of a fact that there is not, or no longer. */
export const absentFact = 'absent'

/** Allowed values of everything at one moment. */
interface Allowed {
  /** What is there if none of the doubtful changes is. */
  readonly content: Uint8Array
  /** Contents that a sector may have instead. */
  readonly instead: ReadonlyMap<number, readonly Uint8Array[]>
  readonly facts: ReadonlyMap<string, ReadonlySet<string>>
  /** The image was closed: whatever it has it must say. */
  readonly closed: boolean
}

/** Judges what is seen in crash states of a journal. */
export class GuestModel {
  readonly #start: GuestView
  readonly #events: readonly { readonly position: number; readonly event: GuestEvent }[]
  readonly #known = new Map<number, Allowed>()

  /** @param start - what the guest saw, durably, when the journal began */
  constructor(start: GuestView, entries: readonly JournalEntry[]) {
    this.#start = start
    this.#events = entries.flatMap((event, position) => (event.kind === 'guest' ? [{ position, event }] : []))
  }

  /** Equal at two positions of the journal between which nothing changed for the guest. */
  key(position: number): number {
    let count = 0
    while (count < this.#events.length && this.#events[count]!.position < position) count++
    return count
  }

  /** What is wrong with `view` after a cut at `position`, in words; empty where nothing is. */
  problems(view: GuestView, position: number): string[] {
    const allowed = this.#allowedAt(position)
    return [...contentProblems(view.content, allowed), ...factProblems(view.facts, allowed)]
  }

  /** As `problems`, of content alone. */
  contentProblems(content: Uint8Array, position: number): string[] {
    return contentProblems(content, this.#allowedAt(position))
  }

  #allowedAt(position: number): Allowed {
    const key = this.key(position)
    const allowed = this.#known.get(key) ?? this.#allowedAfter(key)
    this.#known.set(key, allowed)
    return allowed
  }

  #allowedAfter(count: number): Allowed {
    const events = this.#events.slice(0, count).map(({ event }) => event)
    const { durable, doubtful } = sorted(events)
    const longest = Math.max(
      this.#start.content.length,
      ...[...durable, ...doubtful].map(({ offset, data }) => offset + data.length),
    )
    const content = new Uint8Array(Math.ceil(longest / sectorBytes) * sectorBytes)
    content.set(this.#start.content)
    for (const { offset, data } of durable) content.set(data, offset)
    const closed = events.some(({ event }) => event === 'closed')
    return { content, instead: alternatives(content, doubtful), facts: this.#facts(durable, doubtful), closed }
  }

  #facts(durable: readonly GuestChange[], doubtful: readonly GuestChange[]): Map<string, Set<string>> {
    const last: Record<string, string> = { ...this.#start.facts }
    for (const { facts } of durable) Object.assign(last, facts)
    const allowed = new Map(Object.entries(last).map(([name, value]) => [name, new Set([value])]))
    for (const { facts } of doubtful) {
      for (const [name, value] of Object.entries(facts)) {
        allowed.set(name, (allowed.get(name) ?? new Set([absentFact])).add(value))
      }
    }
    return allowed
  }
}

/** A change is durable once a flush has returned that began after the change had ended. */
function sorted(events: readonly GuestEvent[]): { durable: GuestChange[]; doubtful: GuestChange[] } {
  const begun: GuestChange[] = []
  const ended = new Set<GuestChange>()
  const covered = new Map<number, ReadonlySet<GuestChange>>()
  const durable = new Set<GuestChange>()
  for (const event of events) {
    if (event.event === 'begin') begun.push(event.change)
    if (event.event === 'end') ended.add(event.change)
    if (event.event === 'flush begin') covered.set(event.flush, new Set(ended))
    if (event.event === 'flush end') for (const one of covered.get(event.flush) ?? []) durable.add(one)
  }
  return { durable: begun.filter((one) => durable.has(one)), doubtful: begun.filter((one) => !durable.has(one)) }
}

/** Sectors as they are after each doubtful change that touches them. */
function alternatives(content: Uint8Array, doubtful: readonly GuestChange[]): Map<number, Uint8Array[]> {
  const current = content.slice()
  const instead = new Map<number, Uint8Array[]>()
  for (const { offset, data } of doubtful) {
    current.set(data, offset)
    if (data.length === 0) continue
    const last = Math.ceil((offset + data.length) / sectorBytes)
    for (let sector = Math.floor(offset / sectorBytes); sector < last; sector++) {
      const list = instead.get(sector) ?? []
      list.push(current.slice(sector * sectorBytes, (sector + 1) * sectorBytes))
      instead.set(sector, list)
    }
  }
  return instead
}

/** Of a disk whose length changes, what one side does not have is not compared. */
function contentProblems(found: Uint8Array, { content, instead }: Allowed): string[] {
  const bytes = Math.min(found.length, content.length)
  const wrong: number[] = []
  const words = wordsOf(found, content)
  for (let at = 0; at < bytes; at += sectorBytes) {
    const end = Math.min(at + sectorBytes, bytes)
    if (words === undefined ? sameRange(found, content, at, end) : sameWords(words, at, end)) continue
    const others = instead.get(at / sectorBytes) ?? []
    if (!others.some((other) => sameAs(found, other, at, end))) wrong.push(at / sectorBytes)
  }
  if (wrong.length === 0) return []
  const at = wrong[0]! * sectorBytes
  const show = (bytes: Uint8Array): string =>
    [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const expected = [content.subarray(at, at + 8), ...(instead.get(wrong[0]!) ?? [])].map(show).join(' or ')
  const more = wrong.length === 1 ? '' : ` (and ${wrong.length - 1} more sectors)`
  return [`guest sector ${wrong[0]} begins with ${show(found.subarray(at, at + 8))}, expected ${expected}${more}`]
}

/** Two contents four bytes at a time, so that comparing them costs less; none where they do not lie so. */
function wordsOf(a: Uint8Array, b: Uint8Array): readonly [Uint32Array, Uint32Array] | undefined {
  const lie = ({ byteOffset, length }: Uint8Array): boolean => byteOffset % 4 === 0 && length % 4 === 0
  if (!lie(a) || !lie(b)) return undefined
  return [new Uint32Array(a.buffer, a.byteOffset, a.length / 4), new Uint32Array(b.buffer, b.byteOffset, b.length / 4)]
}

function sameWords([words, others]: readonly [Uint32Array, Uint32Array], start: number, end: number): boolean {
  for (let at = start / 4; at < end / 4; at++) if (words[at] !== others[at]) return false
  return true
}

function sameRange(a: Uint8Array, b: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (a[at] !== b[at]) return false
  return true
}

function sameAs(found: Uint8Array, sector: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (found[at] !== sector[at - start]) return false
  return true
}

function factProblems(found: Readonly<Record<string, string>>, { facts, closed }: Allowed): string[] {
  const problems: string[] = []
  for (const [name, values] of facts) {
    const value = found[name] ?? absentFact
    if (value === unknownFact && !closed && [...values].some((one) => one !== absentFact)) continue
    if (!values.has(value)) problems.push(`${name} is ${value}, expected ${[...values].join(' or ')}`)
  }
  for (const [name, value] of Object.entries(found)) {
    if (!facts.has(name)) problems.push(`${name} is ${value}, expected ${absentFact}`)
  }
  return problems
}
