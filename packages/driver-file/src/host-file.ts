/** An open file descriptor: whole reads and writes, synchronous or on the thread pool, with or without the page cache. */

import {
  close as fsClose,
  closeSync,
  fdatasync,
  fstat,
  fstatSync,
  ftruncate,
  ftruncateSync,
  open as fsOpen,
  openSync,
  type Stats,
} from 'node:fs'
import { BlockError, doneAtOnce } from '@blocklayer/block-core/driver'
import type { CachedReads } from './cached-reads.ts'
import type { DirectIo } from './direct-io.ts'
import { callError, requestError } from './errors.ts'
import { ReadSpread } from './read-spread.ts'
import * as transfers from './transfers.ts'
import { bytesIn, type Vector } from './vectors.ts'

/** Synchronous work between two turns of the event loop, in bytes; a small request counts as much as a page of them. */
const turnBudget = 0x400_0000
const requestCost = 0x2000

/** The same for a file whose user did not ask for synchronous work, and who may have other things to do. */
const cachedTurnBudget = 0x10_0000

/** Requests of at least so many bytes are done on the thread pool even in synchronous mode. */
const pooledBytesMin = 256 * 1024

/** A host file that is open. Offsets and lengths are bytes. */
export class HostFile implements transfers.Descriptor {
  readonly fd: number
  /** Calls block the event loop: right for command line tools, wrong for servers. */
  readonly synchronous: boolean
  /** `undefined`: reads and writes go through the page cache. */
  readonly direct: DirectIo | undefined
  /** Absent: every read of an asynchronous file goes to the pool. */
  readonly #cached: CachedReads | undefined
  /** Requests are multiples of so many bytes. */
  readonly alignment: number
  readonly #spread: ReadSpread = new ReadSpread()
  #turn: number
  /** Calls on the pool that use the descriptor. */
  #inUse = 0
  /** Set once the file is to be closed as soon as nobody uses it. */
  #whenIdle: (() => void) | undefined

  /**
   * @param fd - becomes this object's own
   * @param direct - for a descriptor that was opened with O_DIRECT
   * @param cached - for one without, where the system can tell what it has in memory
   */
  constructor(fd: number, synchronous: boolean, direct?: DirectIo, cached?: CachedReads) {
    this.fd = fd
    this.synchronous = synchronous
    this.direct = direct
    this.#cached = synchronous ? undefined : cached
    this.#turn = this.#budget
    this.alignment = direct?.alignment.request ?? 1
  }

  /** Fills `into`; bytes past the end of the file are zeroes. */
  read(offset: number, into: Uint8Array): Promise<void> {
    if (this.direct !== undefined && !this.direct.fits(into)) {
      return this.direct.read((at, part) => this.#read(at, part), offset, [into])
    }
    return this.#read(offset, into)
  }

  write(offset: number, data: Uint8Array): Promise<void> {
    if (this.direct !== undefined && !this.direct.fits(data)) {
      return this.direct.write((at, part) => this.#write(at, part), offset, [data])
    }
    return this.#write(offset, data)
  }

  /** As `read`, into several buffers. */
  readv(offset: number, into: Vector): Promise<void> {
    if (this.direct !== undefined && !this.direct.fitsAll(into)) {
      return this.direct.read((at, part) => this.#read(at, part), offset, into)
    }
    const bytes = bytesIn(into)
    if (!this.#blocks(bytes)) return transfers.readVectorPooled(this.#entered(), offset, into)
    return this.#synchronously(bytes, () => transfers.readVectorBlocking(this, offset, into))
  }

  /** As `write`, from several buffers. */
  writev(offset: number, data: Vector): Promise<void> {
    if (this.direct !== undefined && !this.direct.fitsAll(data)) {
      return this.direct.write((at, part) => this.#write(at, part), offset, data)
    }
    const bytes = bytesIn(data)
    if (!this.#blocks(bytes)) return transfers.writeVectorPooled(this.#entered(), offset, data)
    return this.#synchronously(bytes, () => transfers.writeVectorBlocking(this, offset, data))
  }

  /** Makes data and the metadata that is needed to read it durable. Always on the pool: it takes milliseconds. */
  datasync(): Promise<void> {
    return this.during((fd) => call((done) => fdatasync(fd, done)))
  }

  async truncate(length: number): Promise<void> {
    if (this.synchronous) ftruncateSync(this.fd, length)
    else await this.during((fd) => call((done) => ftruncate(fd, length, done)))
  }

  async stat(): Promise<Stats> {
    if (this.synchronous) return fstatSync(this.fd)
    return await new Promise((resolve, reject) => {
      fstat(this.fd, (error, stats) => (error ? reject(error) : resolve(stats)))
    })
  }

  /** Runs `work` on the descriptor, which stays open until it ends. */
  async during<T>(work: (fd: number) => Promise<T>): Promise<T> {
    this.#inUse++
    try {
      return await work(this.fd)
    } finally {
      this.leave()
    }
  }

  /** A call on the pool has ended. */
  leave(): void {
    this.#inUse--
    if (this.#inUse === 0) this.#whenIdle?.()
  }

  /** Closing ends every lock that was taken on this descriptor. */
  async close(): Promise<void> {
    if (this.synchronous) closeSync(this.fd)
    else await call((done) => fsClose(this.fd, done))
  }

  /** Closes as soon as no request is on its way; new ones must not come. */
  retire(): void {
    if (this.#inUse === 0) closeSync(this.fd)
    else this.#whenIdle = () => closeSync(this.fd)
  }

  #read(offset: number, into: Uint8Array): Promise<void> {
    const spread = this.#spread.goesToPool(into.length, this.#inUse)
    if (!spread && this.#cached?.read(this.fd, offset, into) === true) return this.#done(into.length)
    if (spread || !this.#blocks(into.length)) return transfers.readPooled(this.#entered(), offset, into)
    return this.#synchronously(into.length, () => transfers.readBlocking(this, offset, into))
  }

  #write(offset: number, data: Uint8Array): Promise<void> {
    if (!this.#blocks(data.length)) return transfers.writePooled(this.#entered(), offset, data)
    return this.#synchronously(data.length, () => transfers.writeBlocking(this, offset, data))
  }

  #entered(): this {
    this.#inUse++
    return this
  }

  /**
   * Whether a request of `bytes` bytes is done in a blocking call. Long ones go to the pool in any mode: there the copying
   * of one overlaps with the copying of another, which is worth more than the hand-over costs.
   */
  #blocks(bytes: number): boolean {
    return this.synchronous && bytes < pooledBytesMin
  }

  #synchronously(bytes: number, transfer: () => void): Promise<void> {
    try {
      transfer()
    } catch (error) {
      return Promise.reject(requestError(error))
    }
    return this.#done(bytes)
  }

  get #budget(): number {
    return this.synchronous ? turnBudget : cachedTurnBudget
  }

  /** Now and then waits a turn: a loop of synchronous requests would never let a timer or a signal handler run. */
  #done(bytes: number): Promise<void> {
    this.#turn -= bytes + requestCost
    if (this.#turn > 0) return doneAtOnce
    this.#turn = this.#budget
    return new Promise((resolve) => setImmediate(resolve))
  }
}

/** Opens `filename`; @throws BlockError `<words> 'x': <reason>` */
export async function openDescriptor(
  filename: string,
  flags: number,
  synchronous: boolean,
  words = 'Could not open',
): Promise<number> {
  refuseNul(filename, words)
  try {
    if (synchronous) return openSync(filename, flags, 0o644)
    return await new Promise((resolve, reject) => {
      fsOpen(filename, flags, 0o644, (error, fd) => (error ? reject(error) : resolve(fd)))
    })
  } catch (error) {
    throw callError(error, `${words} '${filename}'`)
  }
}

/** As `openDescriptor`, for where nothing may be waited for. */
export function openDescriptorNow(filename: string, flags: number): number {
  refuseNul(filename, 'Could not open')
  try {
    return openSync(filename, flags)
  } catch (error) {
    throw callError(error, `Could not open '${filename}'`)
  }
}

/** Node rejects such a name as a bug of the caller's; here it is input. */
function refuseNul(filename: string, words: string): void {
  if (filename.includes('\0')) throw BlockError.withErrno('EINVAL', `${words} '${filename}'`)
}

function call(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())))
}
