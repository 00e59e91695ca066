/** An image in trouble: what it is, what it may show, and requests to it that may fail. */

import { snapshotsOf } from '@blocklayer/block-core'
import { BlockError } from '@blocklayer/block-core/driver'
import { MemoryStore, type Random } from '@blocklayer/block-core/testing'
import { newImage, type OpenDisk, openDisk, readAll } from '../helpers/disk.ts'
import { type RequestKind, TroubledStore, Weather } from './disk.ts'
import { SectorModel, sectorBytes, sectorsOf, valuesOf } from './model.ts'
import { openShape, type Shape } from './shape.ts'

/** Thrown where an image does what it must not. */
export class Violation extends Error {}

/** A snapshot that was made, or may have been. */
export interface MadeSnapshot {
  readonly name: string
  readonly model: SectorModel
  /** It must be there. */
  sure: boolean
}

/** The persistent bitmap, if there is one. */
export interface MadeBitmap {
  readonly name: string
  /** Sectors that were written to since it was made, or opened. */
  readonly dirty: Set<number>
  /** It is to be trusted. */
  good: boolean
}

/** See above. */
export class Patient {
  readonly choose: Random
  readonly shape: Shape
  readonly weather: Weather
  store!: TroubledStore
  data: TroubledStore | undefined
  backing: MemoryStore | undefined
  backingValues: readonly number[] = []
  opened!: OpenDisk
  model!: SectorModel
  snapshots: MadeSnapshot[] = []
  bitmap: MadeBitmap | undefined
  /**
   * Flags of entries and the counts beside them need not agree, which does no harm: a repair failed half way or was cut,
   * or version 2 had no mark for it.
   */
  mayHaveFlags = false
  /** Requests that have failed. */
  failedRequests = 0
  #stamp = 0

  constructor(choose: Random, shape: Shape) {
    this.choose = choose
    this.shape = shape
    this.weather = new Weather(choose, shape.tornFailures)
  }

  /** Makes the image, and its backing file with something in it. */
  async make(): Promise<void> {
    const { create, sectors, backing, data } = this.shape
    if (backing) await this.#makeBacking(sectors + this.choose.pick([0, 0, -13, 50]))
    const under = backing ? { filename: 'backing', format: 'qcow2' } : undefined
    this.store = new TroubledStore(await newImage(sectors * sectorBytes, create, under), this.weather)
    if (data) this.data = new TroubledStore(sectors * sectorBytes, this.weather)
    this.model = new SectorModel(Array.from({ length: sectors }, (_, at) => this.backingValues[at] ?? 0))
    await this.open()
  }

  async #makeBacking(sectors: number): Promise<void> {
    this.backing = new MemoryStore(await newImage(sectors * sectorBytes, { clusterSize: 512 }))
    await using base = await openDisk(this.backing)
    for (let at = 0; at < sectors; at += 3) {
      const count = Math.min(this.choose.below(3), sectors - at)
      if (count > 0) await base.disk.write(at * sectorBytes, sectorsOf(this.nextStamp(), count))
    }
    this.backingValues = valuesOf(await readAll(base.disk))
  }

  async open(): Promise<void> {
    this.opened = await openShape(this.shape, this, this.choose)
    this.model.resize(this.opened.disk.length / sectorBytes)
  }

  get version(): number {
    return this.store.bytes()[7]!
  }

  /** The mark in the header says that counts and flags need not be right. */
  get isMarked(): boolean {
    return this.version === 2 || (this.store.bytes()[79]! & 1) === 1
  }

  /** What the next write writes. */
  nextStamp(): number {
    return ++this.#stamp
  }

  /** From now on, requests of the file fail. */
  storm(): void {
    const { choose } = this
    const all: readonly RequestKind[] = ['read', 'write', 'zero', 'discard', 'resize', 'flush']
    const kinds = choose.chance(0.4) ? all : [choose.pick(all), choose.pick(all)]
    this.weather.storm(choose.pick([0.02, 0.1, 0.3, 1]), kinds, choose.pick(['EIO', 'ENOSPC'] as const))
  }

  /** A part of the disk. */
  range(clusterAligned: boolean): { readonly first: number; readonly count: number } {
    const { choose } = this
    const { sectors } = this.model
    const perCluster = this.shape.clusterSize / sectorBytes
    let first = choose.below(sectors)
    let count = 1 + choose.below(choose.chance(0.2) ? sectors : 12)
    if (clusterAligned) {
      first -= first % perCluster
      count = Math.ceil(count / perCluster) * perCluster
    }
    return { first, count: Math.min(count, sectors - first) }
  }

  /**
   * Runs a request. Whatever fails must fail with an error of blocks, and for a reason.
   *
   * @returns its error
   * @throws BlockError `ENOMEDIUM` where the image is dead
   */
  async attempt(name: string, request: () => Promise<unknown>): Promise<BlockError | undefined> {
    const before = this.weather.failures
    try {
      await request()
      return undefined
    } catch (error) {
      if (!(error instanceof BlockError)) throw error instanceof Violation ? error : new Violation(`${name}: ${error}`)
      if (error.code === 'ENOMEDIUM' && name !== 'close') throw error
      if (isRefusal(name, error.code)) return error
      if (this.weather.failures === before && error.code !== 'ENOMEDIUM')
        throw new Violation(`${name} failed though nothing else did: ${error.code} ${error.message}`)
      this.failedRequests++
      return error
    }
  }

  /** These sectors were written to. */
  touch(first: number, count: number): void {
    for (let at = first; at < first + count; at++) this.bitmap?.dirty.add(at)
  }

  /** @throws Violation where a sector shows what it must not */
  see(first: number, values: readonly number[], what: string): void {
    const wrong = this.model.see(first, values)
    if (wrong !== undefined) throw new Violation(`${what}: ${wrong}`)
  }

  get isDead(): boolean {
    try {
      snapshotsOf(this.opened.disk)
      return false
    } catch (error) {
      if (!(error instanceof BlockError) || error.code !== 'ENOMEDIUM') throw error
      return true
    }
  }

  /** Snapshots that are there. */
  get presentSnapshots(): readonly MadeSnapshot[] {
    const names = new Set(snapshotsOf(this.opened.disk).map(({ name }) => name))
    return this.snapshots.filter(({ name }) => names.has(name))
  }

  /** @throws Violation where the image was found to be wrong by itself */
  requireNoCorruption(): void {
    const line = this.opened.lines.find((text) => /corrupt|invalid|ERROR cluster/i.test(text))
    if (line !== undefined) throw new Violation(`it said: ${line}`)
  }
}

/** What an image need not be able to do. */
function isRefusal(name: string, code: string): boolean {
  if (['ENOTSUP', 'EINVAL', 'EBUSY', 'ENOENT'].includes(code)) return true
  // A cluster that is allocated is not written compressed; a first cluster has room for so much.
  return name === 'compressed' ? code === 'EIO' : code === 'ENOSPC' && /record|amend|bitmap|readonly/.test(name)
}
