/** Claims on places in the file, turned into runs: first come, first told; what cannot be shared is an overlap. */

import type { LayoutKind, LayoutRun } from '@blocklayer/block-core/driver'
import { clusterIndex, type Geometry, hostOffset } from '../../format/geometry.ts'
import { TakenClusters } from './taken.ts'

/** What may take a cluster that something else has: everything else there is an overlap. */
const sharers: Readonly<Partial<Record<LayoutKind, readonly LayoutKind[]>>> = {
  // Several compressed clusters of the guest share one of the file.
  compressed: ['compressed'],
  'snapshot-data': ['data', 'compressed', 'reserved', 'snapshot-data'],
}

/** Claims, in the order in which they are made. */
export class FileClaims {
  readonly taken: TakenClusters
  readonly #geometry: Geometry
  #pending: { -readonly [Field in keyof LayoutRun]: LayoutRun[Field] } | undefined
  #ready: LayoutRun[] = []

  constructor(geometry: Geometry, fileBytes: number, memoryMax: number) {
    this.#geometry = geometry
    this.taken = new TakenClusters(geometry, fileBytes, memoryMax)
  }

  /**
   * Claims every cluster that a table of `bytes` bytes at `offset` touches.
   *
   * @returns whether all of them were free, so that the table is worth reading
   */
  table(kind: LayoutKind, offset: number, bytes: number): boolean {
    if (bytes === 0) return true
    if (!this.taken.holds(offset, bytes)) {
      this.tell({ kind: 'broken', offset, bytes })
      return false
    }
    return this.#claim(kind, offset, bytes)
  }

  /** Claims the clusters of guest data; compressed data begins anywhere. */
  data(kind: LayoutKind, offset: number, bytes: number, guestBytes: number): void {
    const start = offset - (offset % this.#geometry.clusterSize)
    const isPlace = kind === 'compressed' || kind === 'snapshot-data' || start === offset
    if (!isPlace || !this.taken.holds(start, offset - start + bytes)) {
      this.tell({ kind: 'broken', offset, bytes })
      return
    }
    this.#claim(kind, start, offset - start + bytes)
    this.tell({ kind, offset: start, bytes: 0, guestBytes })
  }

  #claim(kind: LayoutKind, offset: number, bytes: number): boolean {
    const { clusterSize } = this.#geometry
    const first = clusterIndex(this.#geometry, hostOffset(offset))
    const end = Math.ceil((offset + bytes) / clusterSize)
    let isFree = true
    for (let cluster = first; cluster < end; cluster++) {
      const before = this.taken.get(cluster)
      const place = cluster * clusterSize
      if (before === undefined) {
        this.taken.take(cluster, kind)
        this.tell({ kind, offset: place, bytes: clusterSize })
      } else {
        isFree = false
        if (sharers[kind]?.includes(before) !== true) this.tell({ kind: 'overlap', offset: place, bytes: clusterSize })
      }
    }
    return isFree
  }

  /** Adds a run, joined with the one before where it goes on from there. */
  tell(run: LayoutRun): void {
    const last = this.#pending
    const isSame = last !== undefined && last.kind === run.kind && last.child === run.child
    if (isSame && (run.bytes === 0 || last.bytes === 0 || last.offset + last.bytes === run.offset)) {
      if (last.bytes === 0) last.offset = run.offset
      last.bytes += run.bytes
      if (run.guestBytes !== undefined) last.guestBytes = (last.guestBytes ?? 0) + run.guestBytes
      return
    }
    if (last !== undefined) this.#ready.push(last)
    this.#pending = { ...run }
  }

  /** The runs that are complete. */
  ready(): readonly LayoutRun[] {
    const runs = this.#ready
    this.#ready = []
    return runs
  }

  /** The runs that are left. */
  rest(): readonly LayoutRun[] {
    const runs = this.#pending === undefined ? this.#ready : [...this.#ready, this.#pending]
    this.#ready = []
    this.#pending = undefined
    return runs
  }
}
