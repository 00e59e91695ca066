/** Takes dirty ranges from the bitmap and sends them to the target, piece by piece. */

import {
  alignDown,
  alignUp,
  type BlockBackend,
  BlockError,
  chainAllocation,
  type DirtyBitmap,
  zeroesByUnmapping,
} from '@blocklayer/block-core'
import type { IoOperation } from '../job-events.ts'
import { claimMax, type CopyGeometry, copyMax } from './geometry.ts'
import type { InFlight } from './in-flight.ts'
import { type Piece, planPiece, type SourceRun } from './plan.ts'

/** What copies run between, and who hears of them. */
export interface CopyParts {
  readonly source: BlockBackend
  readonly target: BlockBackend
  readonly bitmap: DirtyBitmap
  readonly geometry: CopyGeometry
  readonly inFlight: InFlight
  readonly onDone: (bytes: number) => void
  /** The range is dirty again when this is called. */
  readonly onError: (operation: IoOperation, error: unknown) => void
}

/** Copies what the bitmap says. @see spec/jobs.md, section 17.5 */
export class MirrorIteration {
  readonly #parts: CopyParts
  /** The range that has been taken from the bitmap and not been sent yet. */
  #claimed = 0
  #claimEnd = 0
  #run: SourceRun = { kind: 'data', end: 0 }

  constructor(parts: CopyParts) {
    this.#parts = parts
  }

  /** Something is dirty, or taken and not yet sent. */
  get hasWork(): boolean {
    return this.#claimed < this.#claimEnd || this.#parts.bitmap.dirtyBytes > 0
  }

  /** Bytes that are known to remain, requests under way included. */
  get remaining(): number {
    return this.#claimEnd - this.#claimed + this.#parts.bitmap.dirtyBytes + this.#parts.inFlight.bytes
  }

  /**
   * Sends one piece, unless the next dirty range is being copied right now: then it waits for a request to end.
   *
   * @returns bytes that count against the speed limit
   */
  async step(): Promise<number> {
    if (this.#claimed === this.#claimEnd && !this.#claim()) {
      await this.#parts.inFlight.one()
      return 0
    }
    const piece = await this.#nextPiece()
    const offset = this.#claimed
    this.#claimed += piece.bytes
    const slot = this.#parts.inFlight.begin(offset, piece.bytes)
    void this.#send(slot, offset, piece)
    return piece.method === 'copy' || !zeroesByUnmapping(this.#parts.target.root) ? piece.bytes : 0
  }

  /** Takes the next dirty range from the bitmap: bits go first, so that a guest's write from now on is seen again. */
  #claim(): boolean {
    const { bitmap, geometry, inFlight } = this.#parts
    const { unit, length } = geometry
    const area = bitmap.nextDirtyArea(this.#claimEnd, length, claimMax) ?? bitmap.nextDirtyArea(0, length, claimMax)
    if (area === undefined) return false
    const start = alignDown(area.offset, unit)
    if (inFlight.firstIn(start, start + unit) !== undefined) return false
    const end = Math.min(alignUp(area.offset + area.bytes, unit), length)
    const busy = inFlight.firstIn(start, end)
    this.#claimed = start
    this.#claimEnd = busy === undefined ? end : alignDown(busy, unit)
    this.#run = { kind: 'data', end: start }
    bitmap.reset(start, this.#claimEnd - start)
    return true
  }

  async #nextPiece(): Promise<Piece> {
    const at = this.#claimed
    if (this.#run.end <= at) this.#run = await this.#runAt(at)
    // A fragmented image has its data in many short runs: they are copied as one, up to the longest copy.
    while (this.#run.kind === 'data' && this.#run.end < Math.min(this.#claimEnd, at + copyMax)) {
      const next = await this.#runAt(this.#run.end)
      if (next.kind !== 'data') break
      this.#run = next
    }
    return planPiece(at, this.#run, this.#claimEnd, this.#parts.geometry)
  }

  async #runAt(offset: number): Promise<SourceRun> {
    try {
      const status = await chainAllocation(this.#parts.source.root, undefined, offset, this.#claimEnd - offset)
      const kind = status.data ? 'data' : status.zero ? 'zero' : 'unallocated'
      return { kind, end: offset + status.bytes }
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      // Reading decides: it either works, or fails with an error that the job's policy is for.
      return { kind: 'data', end: this.#claimEnd }
    }
  }

  async #send(slot: number, offset: number, piece: Piece): Promise<void> {
    const { inFlight, bitmap, onDone, onError } = this.#parts
    let operation: IoOperation = 'read'
    try {
      const data = piece.method === 'copy' ? await this.#read(slot, offset, piece.bytes) : undefined
      operation = 'write'
      if (data !== undefined) await this.#parts.target.write(offset, data)
      else await this.#clear(offset, piece)
      onDone(piece.bytes)
    } catch (error) {
      bitmap.markDirty(offset, piece.bytes)
      onError(operation, error)
    } finally {
      inFlight.end(slot)
    }
  }

  async #read(slot: number, offset: number, bytes: number): Promise<Uint8Array> {
    const buffer = this.#parts.inFlight.buffer(slot, bytes)
    await this.#parts.source.read(offset, buffer)
    return buffer
  }

  #clear(offset: number, piece: Piece): Promise<void> {
    const { target } = this.#parts
    if (piece.method === 'zero') return target.writeZeroes(offset, piece.bytes, { mayUnmap: true })
    return target.discard(offset, piece.bytes)
  }
}
