/** An open file descriptor: whole reads and writes over calls that may be short, synchronous or on the thread pool. */

import * as fs from 'node:fs'
import { BlockError } from '@blocklayer/block-core/driver'
import { callError, requestError } from './errors.ts'

/** Linux moves at most 2^31 - 4096 bytes a call, and Node takes lengths below 2^31. */
const callBytesMax = 0x4000_0000

/** Synchronous work between two turns of the event loop, in bytes; a small request counts as much as a page of them. */
const turnBudget = 0x400_0000
const requestCost = 0x2000

const settled: Promise<void> = Promise.resolve()

type Transfer = (
  fd: number,
  buffer: Uint8Array,
  start: number,
  bytes: number,
  position: number,
  done: (error: unknown, bytes: number) => void,
) => void

/** Requests of at least so many bytes are done on the thread pool even in synchronous mode. */
const pooledBytesMin = 256 * 1024

/** How a file is opened. */
export interface HostFileMode {
  readonly readOnly: boolean
  /** Calls block the event loop: right for command line tools, wrong for servers. */
  readonly synchronous: boolean
}

/** A host file that is open. Offsets and lengths are bytes. */
export class HostFile {
  readonly fd: number
  readonly synchronous: boolean
  #turn = turnBudget

  /** @param fd - becomes this object's own */
  constructor(fd: number, synchronous: boolean) {
    this.fd = fd
    this.synchronous = synchronous
  }

  /**
   * Opens an existing regular file.
   *
   * @throws BlockError `Could not open 'x': …`; `EINVAL` for anything but a regular file
   */
  static async open(filename: string, mode: HostFileMode): Promise<HostFile> {
    // O_NONBLOCK: a FIFO must be refused, not waited for. It means nothing for regular files.
    const flags = (mode.readOnly ? fs.constants.O_RDONLY : fs.constants.O_RDWR) | (fs.constants.O_NONBLOCK ?? 0)
    const file = new HostFile(await openDescriptor(filename, flags, mode.synchronous), mode.synchronous)
    if ((await file.stat()).isFile()) return file
    await file.close()
    throw new BlockError('EINVAL', `'file' driver requires '${filename}' to be a regular file`)
  }

  /** Fills `into`; bytes past the end of the file are zeroes. */
  read(offset: number, into: Uint8Array): Promise<void> {
    if (!this.#blocks(into.length)) return pooled(fs.read, this.fd, offset, into, true)
    try {
      readAll(this.fd, offset, into)
    } catch (error) {
      return Promise.reject(requestError(error))
    }
    return this.#afterSynchronous(into.length)
  }

  write(offset: number, data: Uint8Array): Promise<void> {
    if (!this.#blocks(data.length)) return pooled(fs.write, this.fd, offset, data, false)
    try {
      writeAll(this.fd, offset, data)
    } catch (error) {
      return Promise.reject(requestError(error))
    }
    return this.#afterSynchronous(data.length)
  }

  /** Makes data and the metadata that is needed to read it durable. Always on the pool: it takes milliseconds. */
  datasync(): Promise<void> {
    return call((done) => fs.fdatasync(this.fd, done))
  }

  async truncate(length: number): Promise<void> {
    if (this.synchronous) fs.ftruncateSync(this.fd, length)
    else await call((done) => fs.ftruncate(this.fd, length, done))
  }

  async stat(): Promise<fs.Stats> {
    if (this.synchronous) return fs.fstatSync(this.fd)
    return await new Promise((resolve, reject) => {
      fs.fstat(this.fd, (error, stats) => (error ? reject(error) : resolve(stats)))
    })
  }

  /** Closing ends every lock that was taken on this descriptor. */
  async close(): Promise<void> {
    if (this.synchronous) fs.closeSync(this.fd)
    else await call((done) => fs.close(this.fd, done))
  }

  /**
   * Whether a request of `bytes` bytes is done in a blocking call. Long ones go to the pool in any mode: there the copying
   * of one overlaps with the copying of another, which is worth more than the hand-over costs.
   */
  #blocks(bytes: number): boolean {
    return this.synchronous && bytes < pooledBytesMin
  }

  /** Without this a loop of synchronous requests would never let a timer or a signal handler run. */
  #afterSynchronous(bytes: number): Promise<void> {
    this.#turn -= bytes + requestCost
    if (this.#turn > 0) return settled
    this.#turn = turnBudget
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
  // Node rejects such a name as a bug of the caller's; here it is input.
  if (filename.includes('\0')) throw BlockError.withErrno('EINVAL', `${words} '${filename}'`)
  try {
    if (synchronous) return fs.openSync(filename, flags, 0o644)
    return await new Promise((resolve, reject) => {
      fs.open(filename, flags, 0o644, (error, fd) => (error ? reject(error) : resolve(fd)))
    })
  } catch (error) {
    throw callError(error, `${words} '${filename}'`)
  }
}

function readAll(fd: number, offset: number, into: Uint8Array): void {
  let done = 0
  while (done < into.length) {
    const count = fs.readSync(fd, into, done, Math.min(into.length - done, callBytesMax), offset + done)
    if (count === 0) {
      into.fill(0, done)
      return
    }
    done += count
  }
}

function writeAll(fd: number, offset: number, data: Uint8Array): void {
  let done = 0
  while (done < data.length) {
    const count = fs.writeSync(fd, data, done, Math.min(data.length - done, callBytesMax), offset + done)
    if (count === 0) throw BlockError.fromErrno('EIO')
    done += count
  }
}

function pooled(transfer: Transfer, fd: number, offset: number, bytes: Uint8Array, isRead: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let done = 0
    const next = (): void =>
      transfer(fd, bytes, done, Math.min(bytes.length - done, callBytesMax), offset + done, onTransfer)
    const onTransfer = (error: unknown, count: number): void => {
      done += count
      if (error) reject(requestError(error))
      else if (done === bytes.length) resolve()
      else if (count > 0) next()
      else if (isRead) resolve(void bytes.fill(0, done))
      else reject(BlockError.fromErrno('EIO'))
    }
    next()
  })
}

function call(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())))
}
