/** Streams of disks as the web has streams: in browsers, in workers, and in Node. */

import { type AnyDriver, type ByteSink, createBlockGraph } from '@blocklayer/block-core'
import { ForwardBytes } from './forward-bytes.ts'
import { openDiskStream } from './open-disk-stream.ts'
import { writeRawStream } from './raw-stream.ts'

/** Bytes as they come: the body of a response, the stream of a dropped file, what a socket gives. */
export type ByteSource = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * The chunks of `source`, which is let go when they are not wanted any more.
 *
 * @param signal - lets go of a `ReadableStream` even while it is waited for; the chunks then end
 */
export async function* chunksOf(source: ByteSource, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  // Not every browser can iterate over its streams.
  if (!('getReader' in source)) return yield* source
  const reader = source.getReader()
  const cancel = (): Promise<void> => reader.cancel(signal?.reason)
  signal?.addEventListener('abort', cancel)
  try {
    if (signal?.aborted === true) return
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    signal?.removeEventListener('abort', cancel)
    await cancel()
  }
}

/** How an image in a stream is read. */
export interface RawStreamOptions {
  /** Those of the formats that it may have. Nothing else that an image names is opened. */
  readonly drivers: readonly AnyDriver[]
  /** Absent: what the first bytes say. Give it for an image that a stranger may have written. */
  readonly format?: string
}

/**
 * The disk in the stream of an image, as a stream of raw bytes. Nothing is read before it is asked for, and at most 8 MiB
 * are kept: the image must lie in the order of the disk.
 *
 * @returns fails with a BlockError as `openDiskStream` does, and where the image is not in order or ends too early
 */
export function rawStreamOf(source: ByteSource, { drivers, format }: RawStreamOptions): ReadableStream<Uint8Array> {
  const write = async (sink: ByteSink, signal: AbortSignal): Promise<void> => {
    await using graph = createBlockGraph({ drivers, implicitOpen: 'deny' })
    const bytes = new ForwardBytes(chunksOf(source, signal))
    try {
      await writeRawStream(await openDiskStream(bytes, { graph, format }), sink)
    } finally {
      await bytes.close()
    }
  }
  return streamOf(write, async (reason) => {
    if ('getReader' in source) await source.cancel(reason)
  })
}

/**
 * What `write` writes, as a stream. It begins with the first chunk that is asked for, and each further chunk waits until it
 * is.
 *
 * @param write - gets where to write, and a signal that the stream is not wanted any more; writing then fails with its
 *   reason. The stream ends when it resolves, and fails with what it throws.
 * @param unused - called instead where the stream is given up before it has begun
 */
export function streamOf(
  write: WriteBytes,
  unused?: (reason: unknown) => Promise<void>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream(new WrittenBytes(write, unused), { highWaterMark: 0 })
}

type WriteBytes = (sink: ByteSink, signal: AbortSignal) => Promise<unknown>

class WrittenBytes implements UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> {
  readonly #write: WriteBytes
  readonly #unused: ((reason: unknown) => Promise<void>) | undefined
  readonly #abort = new AbortController()
  #running: Promise<void> | undefined
  #isWanted = false
  /** Lets the chunk go on that waits to be wanted. */
  #wake: (() => void) | undefined

  constructor(write: WriteBytes, unused: ((reason: unknown) => Promise<void>) | undefined) {
    this.#write = write
    this.#unused = unused
  }

  pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
    this.#isWanted = true
    this.#wake?.()
    this.#running ??= this.#run(controller)
  }

  /** Resolves when `write` has ended. */
  async cancel(reason: unknown): Promise<void> {
    this.#abort.abort(reason)
    this.#wake?.()
    await (this.#running ?? this.#unused?.(reason))
  }

  async #run(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    const { signal } = this.#abort
    try {
      await this.#write({ write: (bytes) => this.#give(controller, bytes) }, signal)
      if (!signal.aborted) controller.close()
    } catch (error) {
      // Who does not want the stream any more has no use for how it ended.
      if (!signal.aborted) controller.error(error)
    }
  }

  async #give(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>, bytes: Uint8Array): Promise<void> {
    const { signal } = this.#abort
    while (!this.#isWanted && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    signal.throwIfAborted()
    this.#isWanted = false
    // The bytes belong to the caller again at once. (`slice` of a Buffer would be no copy.)
    controller.enqueue(new Uint8Array(bytes))
  }
}
