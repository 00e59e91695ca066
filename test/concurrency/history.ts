/** What was asked of a disk, when, and what came back; and whether that has a serial order. */
import { type Cells, mixed } from './cells.ts'
import { type CellEvent, checkCell, overlapMax } from './linearize.ts'

/** Kinds of requests. */
export type RequestKind = 'read' | 'write' | 'zeroes' | 'discard' | 'flush'

/** One request over the cells `[first, end)`. */
export interface HistoryEntry {
  readonly kind: RequestKind
  readonly first: number
  readonly end: number
  /** What a write writes: unique, from 1. Other kinds: 0. */
  readonly value: number
  readonly called: number
  returned: number
  /** What a read showed, cell by cell. */
  shown: Int32Array | undefined
  /** The bytes of a read that found a mixture. */
  bytes: Uint8Array | undefined
}

/** How strict a check is. */
export interface HistoryRules {
  /**
   * A read may find a mixture of bytes where a change overlaps it: host files promise no more. Each byte must then
   * still be one that some request wrote there.
   */
  readonly mayMix: boolean
}

/** The history of one disk since all its cells were known. */
export class History {
  readonly #cells: Cells
  readonly #rules: HistoryRules
  #entries: HistoryEntry[] = []
  #known: ReadonlySet<number>[]
  /** Requests that run on each cell: more than the checker can sort out are not begun. */
  readonly #running: Uint8Array
  #time = 0
  /** Reads of a cell that found a mixture, and were allowed to. */
  mixtures = 0

  /** @param start - what each cell holds in the beginning */
  constructor(cells: Cells, start: number, rules: HistoryRules) {
    this.#cells = cells
    this.#rules = rules
    this.#known = Array.from({ length: cells.count }, () => new Set([start]))
    this.#running = new Uint8Array(cells.count)
  }

  /** Whether a request may be begun there. */
  hasRoom(first: number, end: number): boolean {
    for (let cell = first; cell < end; cell++) if (this.#running[cell]! >= overlapMax - 2) return false
    return true
  }

  /** A request is called. */
  begin(kind: RequestKind, first: number, end: number, value: number): HistoryEntry {
    const entry = { kind, first, end, value, called: this.#time++, returned: 0, shown: undefined, bytes: undefined }
    for (let cell = first; cell < end; cell++) this.#running[cell]!++
    this.#entries.push(entry)
    return entry
  }

  /** It has returned, and a read showed `bytes`. */
  finish(entry: HistoryEntry, bytes?: Uint8Array): void {
    entry.returned = this.#time++
    for (let cell = entry.first; cell < entry.end; cell++) this.#running[cell]!--
    if (bytes === undefined) return
    const origin = this.#cells.start(entry.first)
    const shown = new Int32Array(entry.end - entry.first)
    for (let cell = entry.first; cell < entry.end; cell++) {
      shown[cell - entry.first] = this.#cells.decode(cell, bytes, origin)
    }
    entry.shown = shown
    if (shown.includes(mixed)) entry.bytes = bytes
  }

  /**
   * Checks all that has been done, while nothing runs, and forgets it; what each cell may hold is remembered.
   *
   * @throws Error that names the cell and the requests around the one that nothing explains
   */
  verify(): void {
    const byCell: HistoryEntry[][] = Array.from({ length: this.#cells.count }, () => [])
    for (const entry of this.#entries) {
      if (entry.kind !== 'flush') for (let cell = entry.first; cell < entry.end; cell++) byCell[cell]!.push(entry)
    }
    this.#entries = []
    for (const [cell, entries] of byCell.entries()) {
      const events = this.#eventsOf(cell, entries)
      const { values, unexplained } = checkCell(this.#known[cell]!, events)
      if (unexplained !== undefined) throw this.#failure(cell, events, unexplained)
      this.#known[cell] = values
    }
  }

  #eventsOf(cell: number, entries: readonly HistoryEntry[]): CellEvent[] {
    const events: CellEvent[] = []
    for (const entry of entries) {
      const { called, returned } = entry
      if (entry.kind !== 'read') {
        events.push({ kind: entry.kind === 'discard' ? 'discard' : 'change', value: entry.value, called, returned })
        continue
      }
      const value = entry.shown![cell - entry.first]!
      if (value !== mixed) events.push({ kind: 'read', value, called, returned })
      else this.#checkMixture(cell, entry, entries)
    }
    return events
  }

  /** A mixture tells nothing about order, so it only has to be one of bytes that were written. */
  #checkMixture(cell: number, read: HistoryEntry, entries: readonly HistoryEntry[]): void {
    const place = `cell ${cell} (bytes ${this.#cells.start(cell)} to ${this.#cells.start(cell + 1)})`
    const overlaps = entries.some(
      ({ kind, called, returned }) => kind !== 'read' && called < read.returned && returned > read.called,
    )
    if (!this.#rules.mayMix || !overlaps) throw new Error(`${place} is a mixture of several contents`)
    const before = entries.filter(({ kind, called }) => kind !== 'read' && called < read.returned)
    const possible = [...this.#known[cell]!, ...before.map(({ value }) => value), 0]
    for (let at = this.#cells.start(cell); at < this.#cells.start(cell + 1); at++) {
      const byte = read.bytes![at - this.#cells.start(read.first)]
      if (!possible.some((value) => this.#cells.byteOf(cell, at, value) === byte)) {
        throw new Error(`byte ${at} in ${place} is ${byte}, which nobody wrote there`)
      }
    }
    this.mixtures++
  }

  #failure(cell: number, events: readonly CellEvent[], unexplained: CellEvent): Error {
    const near = events.filter(({ called }) => called <= unexplained.returned).slice(-12)
    const lines = near.map(({ kind, value, called, returned }) => `  ${kind} ${value} from ${called} to ${returned}`)
    const { kind, value, called, returned } = unexplained
    return new Error(
      `cell ${cell} (bytes ${this.#cells.start(cell)} to ${this.#cells.start(cell + 1)}): no serial order explains ` +
        `${kind} ${value} from ${called} to ${returned}; in the beginning it held ${[...this.#known[cell]!].join(' or ')}\n` +
        lines.join('\n'),
    )
  }
}
