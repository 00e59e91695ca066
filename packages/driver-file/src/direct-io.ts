/** Direct I/O (`cache.direct=on`): which alignment a file needs, and requests on buffers that lack it. */

import { read as fsRead } from 'node:fs'
import { BlockError } from '@blocklayer/block-core/driver'
import { AlignedBuffers, allocAligned, pageBytes } from './aligned-buffers.ts'
import { sectorSize } from './device-calls.ts'
import { requestError } from './errors.ts'
import type { Libc } from './libc.ts'
import { bytesIn, gather, scatter, type Vector } from './vectors.ts'

/** What direct I/O on a file asks for, in bytes. */
export interface DirectAlignment {
  /** Offsets and lengths are multiples of it. */
  readonly request: number
  /** Buffers begin at multiples of it in memory, at most a page. */
  readonly memory: number
}

/** One request on an aligned buffer. */
type Transfer = (offset: number, buffer: Uint8Array) => Promise<void>

/** Tried from the smallest on. That one byte is enough proves nothing: then the largest is taken. */
const candidates: readonly number[] = [1, 512, 1024, 2048, pageBytes]

/**
 * Finds out by trying, since few file systems tell.
 *
 * @param fd - open with O_DIRECT
 * @throws BlockError `EINVAL` `Could not find working O_DIRECT alignment`
 */
export async function probeAlignment(libc: Libc, fd: number): Promise<DirectAlignment> {
  const buffer = allocAligned(2 * pageBytes, (array) => libc.pageOffset(array))
  const request = sectorSize(libc, fd) ?? (await smallest((bytes) => canRead(fd, buffer.subarray(0, bytes))))
  const memory = await smallest((shift) => canRead(fd, buffer.subarray(shift, shift + pageBytes)))
  if (request === undefined || memory === undefined) {
    const hint = 'Try cache.direct=off'
    throw new BlockError('EINVAL', 'Could not find working O_DIRECT alignment', { hint })
  }
  return { request, memory }
}

async function smallest(works: (alignment: number) => Promise<boolean>): Promise<number | undefined> {
  for (const alignment of candidates) if (await works(alignment)) return alignment === 1 ? pageBytes : alignment
  return undefined
}

/** Only `EINVAL` speaks of alignment; an unreadable sector is aligned well enough. */
function canRead(fd: number, into: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    fsRead(fd, into, 0, into.length, 0, (error) => resolve(error === null || requestError(error).code !== 'EINVAL'))
  })
}

/** Requests on any buffers as requests on aligned ones. */
export class DirectIo {
  readonly alignment: DirectAlignment
  readonly #libc: Libc
  readonly #buffers: AlignedBuffers

  constructor(libc: Libc, alignment: DirectAlignment) {
    this.alignment = alignment
    this.#libc = libc
    this.#buffers = sharedBuffers(libc)
  }

  /** Whether the kernel takes the buffer as it is. */
  fits(buffer: Uint8Array): boolean {
    return this.#libc.pageOffset(buffer) % this.alignment.memory === 0
  }

  /** Whether the kernel takes the buffers as they are. */
  fitsAll(vector: Vector): boolean {
    return vector.every((buffer) => buffer.length % this.alignment.request === 0 && this.fits(buffer))
  }

  /** Reads through aligned buffers, a part at a time. */
  async read(read: Transfer, offset: number, into: Vector): Promise<void> {
    await this.#inParts(bytesIn(into), async (done, part) => {
      await read(offset + done, part)
      scatter(part, into, done)
    })
  }

  /** Writes through aligned buffers, a part at a time. */
  async write(write: Transfer, offset: number, data: Vector): Promise<void> {
    await this.#inParts(bytesIn(data), async (done, part) => {
      gather(data, part, done)
      await write(offset + done, part)
    })
  }

  #inParts(bytes: number, run: (done: number, part: Uint8Array) => Promise<void>): Promise<void> {
    return this.#buffers.with(async (window) => {
      for (let done = 0; done < bytes; done += window.length) {
        await run(done, window.subarray(0, Math.min(window.length, bytes - done)))
      }
    })
  }
}

let shared: { readonly libc: Libc; readonly buffers: AlignedBuffers } | undefined

/** One set for all files of the process: the bound must not grow with their number. */
function sharedBuffers(libc: Libc): AlignedBuffers {
  if (shared?.libc !== libc) shared = { libc, buffers: new AlignedBuffers((buffer) => libc.pageOffset(buffer)) }
  return shared.buffers
}
