/** Copies the sources into the target: several requests in flight, zeroes left out, writes in order where asked. */

import { type BlockBackend, BlockError, isZero, type JobOptions } from '@blocklayer/block-core'
import { Breather } from '../breather.ts'
import { planSegments, type SparseRules, wholeClusters } from './plan.ts'
import { RateLimit } from './rate-limit.ts'
import type { Run, RunRules, Sources } from './sources.ts'
import { Turns } from './turns.ts'

/** How a copy is made. */
export interface CopyOptions extends JobOptions {
  readonly sources: Sources
  readonly target: BlockBackend
  readonly rules: RunRules
  /** `undefined`: nothing is left out, zeroes are written as data. */
  readonly sparse: SparseRules | undefined
  /** What is not written reads as zeroes already. */
  readonly targetReadsZero: boolean
  /** Cluster size in bytes of a target that is to be compressed; `undefined`: data is written as it is. */
  readonly compress: number | undefined
  /** Requests in flight. */
  readonly workers: number
  readonly inOrder: boolean
  /** Bytes per second; 0: as fast as possible. */
  readonly rate: number
  /** Carry on where the source cannot be read; gets a warning for each place. */
  readonly salvage: Salvage | undefined
  /** Bytes of data in the sources; 0 where they were not counted, and progress goes by the position. */
  readonly dataTotal: number
}

/** Told of each place that could not be read: its offset in bytes, and the warning. */
export type Salvage = (offset: number, message: string) => void

/** What is asked of the sources to find a run. */
type RunQuery = Pick<CopyOptions, 'sources' | 'rules' | 'sparse' | 'salvage'>

/** Bytes per request. */
const chunkMax: number = 2 * 2 ** 20
const sectorBytes = 512

/** A piece of work, in the order of the disk. */
interface Chunk extends Run {
  readonly index: number
}

/**
 * Copies everything.
 *
 * @throws BlockError `error while reading …` or `error while writing …` for the first request that failed, or
 *   `signal.reason`; the target then holds a part
 */
export async function copyDisk(options: CopyOptions): Promise<void> {
  const copy = new Copy(options)
  const workers = Array.from({ length: options.workers }, () => copy.work())
  // All have to end before the disks may be closed, also when one has failed.
  const results = await Promise.allSettled(workers)
  for (const result of results) if (result.status === 'rejected') throw result.reason
  if (options.compress !== undefined) await endCompressed(options)
}

/** Tells the target that no more clusters come: it ends its file with a whole sector, which not every reader can do without. */
async function endCompressed({ target, sources }: CopyOptions): Promise<void> {
  try {
    await target.writeCompressed(0, new Uint8Array(0))
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw BlockError.withErrno(error.code, `error while writing at byte ${sources.length}`, { cause: error })
  }
}

class Copy {
  readonly #options: CopyOptions
  readonly #turns: Turns
  readonly #rate: RateLimit
  readonly #breather = new Breather()
  #run: Run | undefined
  #position = 0
  #chunkCount = 0
  #dataBytes = 0
  #failed = false
  /** Resolves when nobody is choosing a chunk. */
  #choosing: Promise<unknown> = Promise.resolve()

  constructor(options: CopyOptions) {
    this.#options = options
    this.#turns = new Turns(options.inOrder)
    this.#rate = new RateLimit(options.rate)
  }

  /** Copies chunks until none is left. */
  async work(): Promise<void> {
    let buffer: Uint8Array | undefined
    try {
      for (let chunk = await this.#take(); chunk !== undefined; chunk = await this.#take()) {
        if (chunk.kind === 'data') {
          buffer ??= new Uint8Array(Math.min(chunkMax, this.#options.sources.length))
          await this.#read(chunk, buffer.subarray(0, chunk.bytes))
        }
        await this.#turns.wait(chunk.index)
        if (this.#failed) return
        await this.#write(chunk, buffer?.subarray(0, chunk.bytes))
        this.#turns.done(chunk.index)
      }
    } catch (error) {
      this.#failed = true
      this.#turns.abandon()
      throw error
    }
  }

  /** One worker at a time chooses: where a chunk ends is known only when the block status is there. */
  #take(): Promise<Chunk | undefined> {
    const chosen = this.#choosing.then(() => this.#choose())
    this.#choosing = chosen.catch(() => undefined)
    return chosen
  }

  async #choose(): Promise<Chunk | undefined> {
    const { sources, signal } = this.#options
    await this.#breather.breathe(signal)
    if (this.#failed || this.#position >= sources.length) return undefined
    if (this.#run === undefined || this.#position >= this.#run.start + this.#run.bytes) {
      this.#run = await runAt(this.#options, this.#position)
    }
    const rest = this.#run.start + this.#run.bytes - this.#position
    const { kind, bytes } = this.#piece({ kind: this.#run.kind, bytes: rest })
    const chunk = { index: this.#chunkCount++, start: this.#position, bytes, kind }
    this.#position += bytes
    if (kind === 'data') {
      this.#dataBytes += bytes
      this.#tellProgress()
    }
    return chunk
  }

  #tellProgress(): void {
    const { sources, dataTotal, onProgress } = this.#options
    if (dataTotal > 0) onProgress?.({ current: this.#dataBytes, total: dataTotal })
    else onProgress?.({ current: this.#position, total: sources.length })
  }

  /** The first part of a run that is worked on at once. */
  #piece(run: Pick<Run, 'kind' | 'bytes'>): Pick<Run, 'kind' | 'bytes'> {
    const { compress, sources } = this.#options
    const { kind, bytes } = compress === undefined ? run : wholeClusters(run, sources.length - this.#position, compress)
    return { kind, bytes: kind === 'data' ? Math.min(bytes, chunkMax) : bytes }
  }

  async #read(chunk: Chunk, into: Uint8Array): Promise<void> {
    try {
      await this.#options.sources.read(chunk.start, into)
    } catch (error) {
      const { salvage } = this.#options
      if (!(error instanceof BlockError)) throw error
      if (salvage === undefined) {
        throw BlockError.withErrno(error.code, `error while reading at byte ${chunk.start}`, { cause: error })
      }
      await this.#readSectors(chunk, into, salvage)
    }
  }

  /** Sector by sector, zeroes in the place of those that cannot be read. */
  async #readSectors(chunk: Chunk, into: Uint8Array, salvage: Salvage): Promise<void> {
    for (let at = 0; at < into.length; at += sectorBytes) {
      const sector = into.subarray(at, at + sectorBytes)
      try {
        await this.#options.sources.read(chunk.start + at, sector)
      } catch (error) {
        if (!(error instanceof BlockError)) throw error
        sector.fill(0)
        const offset = chunk.start + at
        salvage(offset, `error while reading offset ${offset}: ${error.errnoText}`)
      }
    }
  }

  async #write(chunk: Chunk, data: Uint8Array | undefined): Promise<void> {
    try {
      if (chunk.kind === 'zero') await this.#writeZeroes(chunk.start, chunk.bytes)
      else if (chunk.kind === 'data' && data !== undefined) await this.#writeData(chunk.start, data)
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      throw BlockError.withErrno(error.code, `error while writing at byte ${chunk.start}`, { cause: error })
    }
  }

  async #writeData(start: number, data: Uint8Array): Promise<void> {
    const { sparse, target, compress } = this.#options
    if (compress !== undefined) return await this.#writeClusters(start, data, compress)
    const whole = { start: 0, end: data.length, zero: false }
    for (const segment of sparse === undefined ? [whole] : planSegments(data, start, sparse)) {
      const bytes = segment.end - segment.start
      if (segment.zero) await this.#writeZeroes(start + segment.start, bytes)
      else {
        await this.#rate.pass(bytes, this.#options.signal)
        await target.write(start + segment.start, data.subarray(segment.start, segment.end))
      }
    }
  }

  async #writeClusters(start: number, data: Uint8Array, clusterBytes: number): Promise<void> {
    for (let at = 0; at < data.length; at += clusterBytes) {
      const cluster = data.subarray(at, at + clusterBytes)
      if (this.#options.sparse !== undefined && isZero(cluster)) await this.#writeZeroes(start + at, cluster.length)
      else {
        await this.#rate.pass(cluster.length, this.#options.signal)
        await this.#options.target.writeCompressed(start + at, cluster)
      }
    }
  }

  async #writeZeroes(start: number, bytes: number): Promise<void> {
    if (this.#options.targetReadsZero) return
    await this.#rate.pass(bytes, this.#options.signal)
    await this.#options.target.writeZeroes(start, bytes, { mayUnmap: true })
  }
}

/**
 * Bytes that will be copied as data: what a progress bar needs to know before it starts.
 *
 * @throws BlockError `error while reading block status at offset …`, `signal.reason`
 */
export async function countData(options: RunQuery & Pick<JobOptions, 'signal'>): Promise<number> {
  const breather = new Breather()
  // What cannot be read is told when it is copied.
  const query = { ...options, salvage: options.salvage && (() => {}) }
  let bytes = 0
  for (let offset = 0; offset < options.sources.length; ) {
    await breather.breathe(options.signal)
    const run = await runAt(query, offset)
    if (run.kind === 'data') bytes += run.bytes
    offset += run.bytes
  }
  return bytes
}

/** The run at `offset`; zeroes are data where nothing may be left out. */
async function runAt({ sources, rules, sparse, salvage }: RunQuery, offset: number): Promise<Run> {
  try {
    const run = await sources.runAt(offset, rules)
    return run.kind === 'zero' && sparse === undefined ? { ...run, kind: 'data' } : run
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const message = `error while reading block status at offset ${offset}: ${error.errnoText}`
    if (salvage === undefined) throw new BlockError(error.code, message, { cause: error })
    salvage(offset, message)
    return { start: offset, bytes: Math.min(sectorBytes, sources.length - offset), kind: 'data' }
  }
}
