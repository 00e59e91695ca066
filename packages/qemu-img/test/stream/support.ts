/** Streams for tests, and what they end with. */

import { BlockError } from '@blocklayer/block-core'
import { random } from '@blocklayer/block-core/testing'
import type { ByteSink } from '@blocklayer/block-core'

/** `bytes` in chunks that are only good until the next one. */
export async function* chunksOf(
  bytes: Uint8Array,
  chunkBytes: number,
  state: { closed: boolean } = { closed: false },
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(chunkBytes)
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const chunk = bytes.subarray(at, at + chunkBytes)
      buffer.set(chunk)
      yield buffer.subarray(0, chunk.length)
      buffer.fill(0xee)
    }
  } finally {
    state.closed = true
  }
}

/** Code and message of the error that `attempt` ends with. */
export async function failureOf(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt()
  } catch (error) {
    if (error instanceof BlockError) return `${error.code} ${error.message}`
    throw error
  }
  return 'no error'
}

/** Keeps what is written; `skips` are bytes that were left out. */
export class ListSink implements ByteSink {
  readonly parts: Uint8Array[] = []
  skipped = 0
  readonly skip?: (bytes: number) => Promise<void>

  constructor(canSkip = false) {
    if (!canSkip) return
    this.skip = async (bytes) => {
      this.skipped += bytes
      this.parts.push(new Uint8Array(bytes))
    }
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.parts)
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.parts.push(bytes.slice())
  }
}

const source = random(11)
const noiseBytes = Uint8Array.from({ length: 2 ** 20 }, () => source.below(256))

/** Bytes that no run describes, the same for the same place. */
export function noise(offset: number, bytes: number): Uint8Array {
  return Uint8Array.from(
    { length: bytes },
    (_, i) => noiseBytes[(offset + i) % noiseBytes.length]! ^ ((offset + i) >> 20),
  )
}
