/** Finds the first difference between two disks, reading only what their block status leaves open. */

import { type BlockBackend, BlockError, bytesEqual, type Extent, isZero, type JobOptions } from '@blocklayer/block-core'
import { Breather } from './breather.ts'

/** What a comparison found; offsets in bytes. */
export type Comparison =
  | { readonly kind: 'identical' }
  /** The first sector that differs starts at `offset`. */
  | { readonly kind: 'content'; readonly offset: number }
  /** Strict: the run at `offset` is allocated differently. */
  | { readonly kind: 'status'; readonly offset: number }
  /** Strict: the sizes differ. */
  | { readonly kind: 'size' }

/** How a comparison is done. */
export interface CompareOptions extends JobOptions {
  /** Sizes and allocation have to agree too. Default: content only. */
  readonly strict?: boolean | undefined
  /** Gets `Image size mismatch!` where only the longer disk's end is left to look at. */
  readonly onWarning?: ((message: string) => void) | undefined
  /** What messages call the disks. Default: their file names. */
  readonly names?: readonly [string, string] | undefined
}

/** A disk and what messages call it. */
interface NamedDisk {
  readonly disk: BlockBackend
  readonly name: string
}

/** Bytes read at once. */
const chunkMax = 2 * 2 ** 20
const sectorBytes = 512

/**
 * Compares guest content. Where one disk is shorter, the rest of the other has to read as zeroes.
 *
 * @throws BlockError `Sector allocation test failed for <name>` with `details.stage` `'status'`, or `Error while reading
 *   offset <n> of <name>: …` with `details.stage` `'read'`; `signal.reason`
 * @see QEMU 7.2 qemu-img.c: img_compare
 * @example
 * await using base = await graph.open('base.qcow2', { readOnly: true })
 * const { kind } = await compareDisks(disk, base)
 * console.log(kind === 'identical' ? 'the same' : 'not the same')
 */
export async function compareDisks(
  first: BlockBackend,
  second: BlockBackend,
  options: CompareOptions = {},
): Promise<Comparison> {
  const [a, b] = [first.length, second.length]
  if (options.strict === true && a !== b) return { kind: 'size' }
  const names = options.names ?? [first.root.filename, second.root.filename]
  const [one, other] = [
    { disk: first, name: names[0] },
    { disk: second, name: names[1] },
  ]
  const run = new ComparisonRun(one, other, options)
  const common = await run.compareUpTo(Math.min(a, b))
  if (common !== undefined) return common
  if (a === b) return { kind: 'identical' }
  options.onWarning?.('Image size mismatch!')
  const tail = await run.expectZeroes(a > b ? one : other, Math.min(a, b))
  return tail ?? { kind: 'identical' }
}

class ComparisonRun {
  readonly #first: NamedDisk
  readonly #second: NamedDisk
  readonly #options: CompareOptions
  readonly #breather = new Breather()
  readonly #buffers: readonly [Uint8Array, Uint8Array]
  readonly #total: number
  #done = 0

  constructor(first: NamedDisk, second: NamedDisk, options: CompareOptions) {
    this.#first = first
    this.#second = second
    this.#options = options
    this.#total = Math.max(first.disk.length, second.disk.length)
    const bytes = Math.min(chunkMax, this.#total)
    this.#buffers = [new Uint8Array(bytes), new Uint8Array(bytes)]
  }

  async compareUpTo(end: number): Promise<Comparison | undefined> {
    for (let offset = 0; offset < end; ) {
      const [a, b] = [await status(this.#first, offset), await status(this.#second, offset)]
      let bytes = Math.min(a.bytes, b.bytes, end - offset)
      // Strict disks are of one length: whether a run reaches the end is a part of its status, too.
      const reach = (run: Extent): boolean => offset + run.bytes >= end
      const isSame = sameStatus(a, b) && reach(a) === reach(b)
      if (this.#options.strict === true && !isSame) return { kind: 'status', offset }
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
  async expectZeroes(disk: NamedDisk, start: number): Promise<Comparison | undefined> {
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
    if (bytesEqual(a, b)) return undefined
    return offset + firstSector(bytes, (start, end) => !bytesEqual(a.subarray(start, end), b.subarray(start, end)))
  }

  async #firstNonZero(disk: NamedDisk, offset: number, bytes: number): Promise<number | undefined> {
    const data = this.#buffers[0].subarray(0, bytes)
    await read(disk, offset, data)
    if (isZero(data)) return undefined
    return offset + firstSector(bytes, (start, end) => !isZero(data.subarray(start, end)))
  }

  async #advance(bytes: number): Promise<void> {
    this.#done += bytes
    this.#options.onProgress?.({ current: this.#done, total: this.#total })
    await this.#breather.breathe(this.#options.signal)
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

async function status({ disk, name }: NamedDisk, offset: number): ReturnType<BlockBackend['blockStatus']> {
  try {
    return await disk.blockStatus(offset, disk.length - offset)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const options = { cause: error, details: { stage: 'status' } }
    throw new BlockError(error.code, `Sector allocation test failed for ${name}`, options)
  }
}

async function read({ disk, name }: NamedDisk, offset: number, into: Uint8Array): Promise<void> {
  try {
    await disk.read(offset, into)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const options = { cause: error, details: { stage: 'read' } }
    throw BlockError.withErrno(error.code, `Error while reading offset ${offset} of ${name}`, options)
  }
}
