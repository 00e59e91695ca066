/** Command lines from a file or a pipe, read while requests go on. */

import { read } from 'node:fs'

/** Bytes of a line at most; what is longer comes as several, as from the reference's `fgets`. */
const lineBytesMax = 1023

const chunkBytes = 64 * 1024
const newline = 0x0a

/** Lines of a file descriptor, one at a time. */
export class PipedLines {
  readonly #descriptor: number
  #pending: Uint8Array = new Uint8Array(0)
  #atEnd = false

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /** The next line; `undefined` at the end. What stands behind a zero byte is not seen, as in C. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const line = this.#take()
      if (line !== undefined) return line
      if (this.#atEnd) return undefined
      await this.#readMore()
    }
  }

  #take(): string | undefined {
    const pending = this.#pending
    const end = pending.indexOf(newline)
    const isWhole = end >= 0 && end <= lineBytesMax
    if (!isWhole && pending.length < lineBytesMax && !(this.#atEnd && pending.length > 0)) return undefined
    const length = isWhole ? end : Math.min(pending.length, lineBytesMax)
    this.#pending = pending.subarray(isWhole && end < lineBytesMax ? length + 1 : length)
    return new TextDecoder().decode(pending.subarray(0, length)).replace(/\0.*$/s, '')
  }

  async #readMore(): Promise<void> {
    const chunk = await readChunk(this.#descriptor)
    this.#atEnd = chunk.length === 0
    const joined = new Uint8Array(this.#pending.length + chunk.length)
    joined.set(this.#pending)
    joined.set(chunk, this.#pending.length)
    this.#pending = joined
  }
}

function readChunk(descriptor: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(chunkBytes)
  return new Promise((resolve, reject) => {
    const attempt = (): void =>
      read(descriptor, buffer, 0, buffer.length, null, (error, count) => {
        // A pipe that somebody made non-blocking has nothing yet.
        if (error?.code === 'EAGAIN') setTimeout(attempt, 10)
        // No input at all (a closed descriptor) is the end of it.
        else if (error?.code === 'EOF' || error?.code === 'EBADF') resolve(new Uint8Array(0))
        else if (error) reject(error)
        else resolve(buffer.subarray(0, count))
      })
    attempt()
  })
}
