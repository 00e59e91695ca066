/** Whole reads and writes over calls that may move fewer bytes than asked: blocking, or on Node's thread pool. */

import { read, readSync, readv, readvSync, write, writeSync, writev, writevSync } from 'node:fs'
import { BlockError } from '@blocklayer/block-core/driver'
import { requestError } from './errors.ts'
import { bytesIn, fillFrom, type Vector, vectorFrom } from './vectors.ts'

/** Linux moves at most 2^31 - 4096 bytes a call, and Node takes lengths below 2^31. */
const callBytesMax = 0x4000_0000

/** What a request needs of an open file. */
export interface Descriptor {
  readonly fd: number
  /** Requests are multiples of so many bytes; a read that ends elsewhere has met the end of the file. */
  readonly alignment: number
  /** A request on the pool has ended. */
  leave(): void
}

/** Fills `into`; bytes past the end of the file are zeroes. Blocks the event loop. */
export function readBlocking(file: Descriptor, offset: number, into: Uint8Array): void {
  let done = 0
  while (done < into.length) {
    const bytes = Math.min(into.length - done, callBytesMax)
    const count = uninterrupted(() => readSync(file.fd, into, done, bytes, offset + done))
    done += count
    if (count === 0 || endsThere(file, offset + done)) break
  }
  if (done < into.length) into.fill(0, done)
}

/** Blocks the event loop. */
export function writeBlocking(file: Descriptor, offset: number, data: Uint8Array): void {
  let done = 0
  while (done < data.length) {
    const bytes = Math.min(data.length - done, callBytesMax)
    const count = uninterrupted(() => writeSync(file.fd, data, done, bytes, offset + done))
    if (count === 0) throw BlockError.fromErrno('EIO')
    done += count
  }
}

/** As `readBlocking`, into several buffers. */
export function readVectorBlocking(file: Descriptor, offset: number, into: Vector): void {
  const bytes = bytesIn(into)
  let done = 0
  while (done < bytes) {
    const count = uninterrupted(() => readvSync(file.fd, vectorFrom(into, done), offset + done))
    done += count
    if (count === 0 || endsThere(file, offset + done)) break
  }
  fillFrom(into, done)
}

/** As `writeBlocking`, from several buffers. */
export function writeVectorBlocking(file: Descriptor, offset: number, data: Vector): void {
  const bytes = bytesIn(data)
  let done = 0
  while (done < bytes) {
    const count = uninterrupted(() => writevSync(file.fd, vectorFrom(data, done), offset + done))
    if (count === 0) throw BlockError.fromErrno('EIO')
    done += count
  }
}

/** Fills `into` on the thread pool; bytes past the end of the file are zeroes. */
export function readPooled(file: Descriptor, offset: number, into: Uint8Array): Promise<void> {
  const bytes = into.length
  const start: Start = (done, ended) =>
    read(file.fd, into, done, Math.min(bytes - done, callBytesMax), offset + done, ended)
  return pooled(file, { offset, bytes }, start, (done) => into.fill(0, done))
}

/** Writes on the thread pool. */
export function writePooled(file: Descriptor, offset: number, data: Uint8Array): Promise<void> {
  const bytes = data.length
  const start: Start = (done, ended) =>
    write(file.fd, data, done, Math.min(bytes - done, callBytesMax), offset + done, ended)
  return pooled(file, { offset, bytes }, start, undefined)
}

/** As `readPooled`, into several buffers. */
export function readVectorPooled(file: Descriptor, offset: number, into: Vector): Promise<void> {
  const start: Start = (done, ended) => readv(file.fd, vectorFrom(into, done), offset + done, ended)
  return pooled(file, { offset, bytes: bytesIn(into) }, start, (done) => fillFrom(into, done))
}

/** As `writePooled`, from several buffers. */
export function writeVectorPooled(file: Descriptor, offset: number, data: Vector): Promise<void> {
  const start: Start = (done, ended) => writev(file.fd, vectorFrom(data, done), offset + done, ended)
  return pooled(file, { offset, bytes: bytesIn(data) }, start, undefined)
}

/** Asks the kernel for the part behind the first `done` bytes. */
type Start = (done: number, ended: (error: unknown, count: number) => void) => void

/** @param atEnd - reads: called where the file ends after `done` bytes. Absent: that is an error */
function pooled(
  file: Descriptor,
  range: { readonly offset: number; readonly bytes: number },
  start: Start,
  atEnd: ((done: number) => void) | undefined,
): Promise<void> {
  const { offset, bytes } = range
  return new Promise((resolve, reject) => {
    let done = 0
    const ended = (error: unknown, count: number): void => {
      if (!error) {
        done += count
        const isOver = done >= bytes || count === 0 || (atEnd !== undefined && endsThere(file, offset + done))
        if (!isOver) start(done, ended)
        else finish()
      } else if (isInterruption(error)) {
        start(done, ended)
      } else {
        file.leave()
        reject(requestError(error))
      }
    }
    const finish = (): void => {
      file.leave()
      if (done < bytes && atEnd === undefined) {
        reject(BlockError.fromErrno('EIO'))
        return
      }
      if (done < bytes) atEnd?.(done)
      resolve()
    }
    start(0, ended)
  })
}

/** Direct I/O cannot go on from there, and need not: only the end of the file lies at such a place. */
function endsThere(file: Descriptor, position: number): boolean {
  return file.alignment > 1 && position % file.alignment !== 0
}

/** Node gives a call back that a signal interrupted; nothing was moved then. */
function isInterruption(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'EINTR'
}

function uninterrupted(call: () => number): number {
  for (;;) {
    try {
      return call()
    } catch (error) {
      if (!isInterruption(error)) throw error
    }
  }
}
