/** Finds the first difference between two disks, reading only what their block status leaves open. */

import { type BlockBackend, BlockError, type Extent, isZero } from '@blocklayer/block-core'
import { compareExit } from './exit-codes.ts'
import { Failure } from './failure.ts'
import type { Progress } from './print/progress.ts'
import { Breather } from './progress-signal.ts'

/** A disk and what messages call it. */
export interface ComparedDisk {
  readonly disk: BlockBackend
  readonly name: string
}

/** What a comparison found; offsets in bytes. */
export type Verdict =
  | { readonly kind: 'identical' }
  /** The first sector that differs starts at `offset`. */
  | { readonly kind: 'content'; readonly offset: number }
  /** Strict: the run at `offset` is allocated differently. */
  | { readonly kind: 'status'; readonly offset: number }
  /** Strict: the sizes differ. */
  | { readonly kind: 'size' }

/** How a comparison is done. */
export interface CompareOptions {
  /** Sizes and allocation have to agree too. */
  readonly strict: boolean
  /** Gets remarks on the way. */
  readonly say: (text: string) => void
  readonly progress: Progress
}

/** Bytes read at once. */
const chunkMax = 2 * 2 ** 20
const sectorBytes = 512

/**
 * Compares guest content. Where one disk is shorter, the rest of the other has to read as zeroes.
 *
 * @throws Failure with the exit status of the stage that failed
 * @see QEMU 7.2 qemu-img.c: img_compare
 */
export async function compareDisks(
  first: ComparedDisk,
  second: ComparedDisk,
  options: CompareOptions,
): Promise<Verdict> {
  const [a, b] = [first.disk.length, second.disk.length]
  if (options.strict && a !== b) return { kind: 'size' }
  const comparison = new Comparison(first, second, options)
  const common = await comparison.compareUpTo(Math.min(a, b))
  if (common !== undefined) return common
  if (a === b) return { kind: 'identical' }
  options.say('Warning: Image size mismatch!')
  const tail = await comparison.expectZeroes(a > b ? first : second, Math.min(a, b))
  return tail ?? { kind: 'identical' }
}

class Comparison {
  readonly #first: ComparedDisk
  readonly #second: ComparedDisk
  readonly #options: CompareOptions
  readonly #breather = new Breather()
  readonly #buffers: readonly [Uint8Array, Uint8Array]
  #percent = 0

  constructor(first: ComparedDisk, second: ComparedDisk, options: CompareOptions) {
    this.#first = first
    this.#second = second
    this.#options = options
    const bytes = Math.min(chunkMax, Math.max(first.disk.length, second.disk.length))
    this.#buffers = [new Uint8Array(bytes), new Uint8Array(bytes)]
  }

  async compareUpTo(end: number): Promise<Verdict | undefined> {
    for (let offset = 0; offset < end; ) {
      const [a, b] = [await status(this.#first, offset), await status(this.#second, offset)]
      let bytes = Math.min(a.bytes, b.bytes, end - offset)
      if (this.#options.strict && !sameStatus(a, b)) {
        return { kind: 'status', offset }
      }
      if (!(a.zero && b.zero) && (a.present || b.present)) {
        bytes = Math.min(bytes, chunkMax)
        const difference = await this.#firstDifference(offset, bytes, a.present, b.present)
        if (difference !== undefined) return { kind: 'content', offset: difference }
      }
      await this.#advance(bytes)
      offset += bytes
    }
    return undefined
  }

  /** @returns where `disk` is not zero from `start` on */
  async expectZeroes(disk: ComparedDisk, start: number): Promise<Verdict | undefined> {
    for (let offset = start; offset < disk.disk.length; ) {
      const { bytes: run, present, zero } = await status(disk, offset)
      const bytes = present && !zero ? Math.min(run, chunkMax) : run
      if (present && !zero) {
        const difference = await this.#firstNonZero(disk, offset, bytes)
        if (difference !== undefined) return { kind: 'content', offset: difference }
      }
      await this.#advance(bytes)
      offset += bytes
    }
    return undefined
  }

  async #firstDifference(offset: number, bytes: number, inA: boolean, inB: boolean): Promise<number | undefined> {
    if (!inA) return await this.#firstNonZero(this.#second, offset, bytes)
    if (!inB) return await this.#firstNonZero(this.#first, offset, bytes)
    const [a, b] = this.#buffers.map((buffer) => buffer.subarray(0, bytes)) as [Uint8Array, Uint8Array]
    await read(this.#first, offset, a)
    await read(this.#second, offset, b)
    // Buffer.compare is the C library's memcmp: ten times a loop's speed.
    if (Buffer.compare(a, b) === 0) return undefined
    return (
      offset + firstSector(bytes, (start, end) => Buffer.compare(a.subarray(start, end), b.subarray(start, end)) !== 0)
    )
  }

  async #firstNonZero(disk: ComparedDisk, offset: number, bytes: number): Promise<number | undefined> {
    const data = this.#buffers[0].subarray(0, bytes)
    await read(disk, offset, data)
    if (isZero(data)) return undefined
    return offset + firstSector(bytes, (start, end) => !isZero(data.subarray(start, end)))
  }

  async #advance(bytes: number): Promise<void> {
    this.#percent += (bytes / Math.max(this.#first.disk.length, this.#second.disk.length)) * 100
    this.#options.progress.report(this.#percent)
    await this.#breather.breathe()
  }
}

/** Everything but the place itself has to agree; that there is one is part of the status. */
function sameStatus(a: Extent, b: Extent): boolean {
  if (a.zero !== b.zero || a.data !== b.data || a.present !== b.present) return false
  return a.compressed === b.compressed && (a.hostOffset === undefined) === (b.hostOffset === undefined)
}

/** Start of the first sector that `differs`; one does. */
function firstSector(bytes: number, differs: (start: number, end: number) => boolean): number {
  let start = 0
  while (start + sectorBytes < bytes && !differs(start, start + sectorBytes)) start += sectorBytes
  return start
}

async function status({ disk, name }: ComparedDisk, offset: number): ReturnType<BlockBackend['blockStatus']> {
  try {
    return await disk.blockStatus(offset, disk.length - offset)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const options = { exitCode: compareExit.statusFailed, cause: error }
    throw new Failure(`Sector allocation test failed for ${name}`, options)
  }
}

async function read({ disk, name }: ComparedDisk, offset: number, into: Uint8Array): Promise<void> {
  try {
    await disk.read(offset, into)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const options = { exitCode: compareExit.readFailed, cause: error }
    throw new Failure(`Error while reading offset ${offset} of ${name}: ${error.errnoText}`, options)
  }
}
