/**
 * Requests in flight together against a model: 64 at a time, overlapping, under random delays.
 *
 * After each round nothing runs any more: the disk is closed, checked, opened and read as a whole, and every cell's
 * history must have a serial order (`linearize.ts` says exactly what that means), the last read included.
 */
import { type Random, random } from '@blocklayer/block-core/testing'
import { Cells } from './cells.ts'
import { History, type HistoryEntry, type RequestKind } from './history.ts'
import { type Layout, LayoutDisk, layoutName } from './layouts.ts'

/** What is done. */
export interface ConcurrencyPlan {
  readonly layout: Layout
  readonly seed: number
  readonly operations: number
  /** Operations between two verifications. Default 2500. */
  readonly round?: number
}

/** What was done. */
export interface ConcurrencyReport {
  readonly byKind: Readonly<Record<RequestKind, number>>
  /** Most requests in flight at one moment. */
  readonly inFlightMax: number
  readonly rounds: number
  /** Torn reads of host files beside a write, which are allowed. */
  readonly mixtures: number
}

const depth = 64

/** Small enough that requests meet all the time. */
const diskBytes = { sectors: 1024 * 1024, odd: 256 * 1024 } as const
const cellsPerRequestMax = 40

/** What a backing file holds: the first value there is. */
const contentBelow = 1

/** Runs a plan. @throws Error where something has no serial order, with all that brings it back */
export async function runConcurrency(plan: ConcurrencyPlan): Promise<ConcurrencyReport> {
  const choose = random(plan.seed)
  const cells = new Cells(plan.layout.cells, diskBytes[plan.layout.cells], choose)
  const content = cells.encode(0, cells.count, contentBelow)
  const { opened, shown } = await LayoutDisk.create(plan.layout, content, random(plan.seed + 1))
  await using disk = opened
  const history = new History(cells, shown ? contentBelow : 0, { mayMix: plan.layout.storage === 'file' })
  const player = new Player(disk, cells, history, choose)
  const round = plan.round ?? 2500
  let rounds = 0
  try {
    for (let done = 0; done < plan.operations; done += round, rounds++) {
      await player.playRound(Math.min(round, plan.operations - done))
      await disk.reopen()
      await player.readAll()
      history.verify()
    }
  } catch (error) {
    const where = `${layoutName(plan.layout)}, seed ${plan.seed}, round ${rounds}, ${disk.description}`
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return { byKind: player.byKind, inFlightMax: player.inFlightMax, rounds, mixtures: history.mixtures }
}

class Player {
  readonly byKind: Record<RequestKind, number> = { read: 0, write: 0, zeroes: 0, discard: 0, flush: 0 }
  inFlightMax = 0
  readonly #opened: LayoutDisk
  readonly #cells: Cells
  readonly #history: History
  readonly #choose: Random
  #inFlight = 0
  #value = contentBelow

  constructor(opened: LayoutDisk, cells: Cells, history: History, choose: Random) {
    this.#opened = opened
    this.#cells = cells
    this.#history = history
    this.#choose = choose
  }

  async playRound(operations: number): Promise<void> {
    let left = operations
    const work = async (): Promise<void> => {
      while (left-- > 0) await this.#step()
    }
    const ends = await Promise.allSettled(Array.from({ length: depth }, work))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  async readAll(): Promise<void> {
    await this.#do('read', 0, this.#cells.count)
  }

  async #step(): Promise<void> {
    const kind = this.#choose.pick(kinds)
    const { first, end } = kind === 'flush' ? { first: 0, end: 0 } : this.#range()
    this.byKind[kind]++
    this.inFlightMax = Math.max(this.inFlightMax, ++this.#inFlight)
    await this.#do(kind, first, end)
    this.#inFlight--
  }

  /** A place where the checker can still tell requests apart; often one of a few hot spots. */
  #range(): { first: number; end: number } {
    for (;;) {
      const length = 1 + this.#choose.below(this.#choose.chance(0.2) ? cellsPerRequestMax : 6)
      const spread = this.#choose.chance(0.3) ? Math.floor(this.#cells.count / 16) : this.#cells.count
      const first = this.#choose.below(spread - length)
      if (this.#history.hasRoom(first, first + length)) return { first, end: first + length }
    }
  }

  async #do(kind: RequestKind, first: number, end: number): Promise<void> {
    const value = kind === 'write' ? ++this.#value : 0
    const entry = this.#history.begin(kind, first, end, value)
    const bytes = await this.#request(entry)
    this.#history.finish(entry, bytes)
  }

  /** @returns what a read showed */
  async #request({ kind, first, end, value }: HistoryEntry): Promise<Uint8Array | undefined> {
    const { disk } = this.#opened
    const offset = this.#cells.start(first)
    const bytes = this.#cells.start(end) - offset
    switch (kind) {
      case 'read': {
        const into = new Uint8Array(bytes)
        await disk.read(offset, into)
        return into
      }
      case 'write':
        await disk.write(offset, this.#cells.encode(first, end, value), { fua: this.#choose.chance(0.05) })
        return undefined
      case 'zeroes':
        await disk.writeZeroes(offset, bytes, { mayUnmap: this.#choose.chance(0.5) })
        return undefined
      case 'discard':
        await disk.discard(offset, bytes)
        return undefined
      case 'flush':
        await disk.flush()
        return undefined
    }
  }
}

/** In the proportions in which they are asked for. */
const kinds: readonly RequestKind[] = [
  ...Array.from({ length: 7 }, () => 'read' as const),
  ...Array.from({ length: 8 }, () => 'write' as const),
  'zeroes',
  'zeroes',
  'discard',
  'discard',
  'flush',
]
