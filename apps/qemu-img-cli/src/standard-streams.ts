/** Standard input and output as streams of bytes, and as files where they are such. */

import {
  accessSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  writeSync,
} from 'node:fs'
import { BlockError, type ByteSink, errnoText, isErrno } from '@blocklayer/block-core'
import { descriptorMover, type MoveDescriptor } from '@blocklayer/driver-file'
import { Failure } from './failure.ts'

const [inputDescriptor, outputDescriptor] = [0, 1]
/** A pipe gives at most so much at once, unless somebody has made it larger. */
const readBytes = 65536
/** O_APPEND of Linux: writing at a place is then writing at the end. */
const appendFlag = 0o2000

/** What the kernel says of a descriptor. */
interface DescriptorState {
  readonly position: number
  readonly flags: number
}

/** `undefined` where the host does not tell. */
function descriptorState(descriptor: number): DescriptorState | undefined {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')
    const field = (name: string): string => new RegExp(`^${name}:\\s+(\\d+)$`, 'm').exec(text)?.[1] ?? ''
    return { position: Number(field('pos')), flags: Number.parseInt(field('flags'), 8) }
  } catch {
    // Only Linux has this folder. Elsewhere every descriptor is taken for a pipe.
    return undefined
  }
}

/**
 * A name by which standard input can be opened as a file from its begin; `undefined` where it is a stream. It is the file's
 * own name where that still leads to it: what an image names counts from the folder where the image lies.
 */
export function inputFile(): string | undefined {
  const name = '/proc/self/fd/0'
  if (!fstatSync(inputDescriptor).isFile() || descriptorState(inputDescriptor)?.position !== 0) return undefined
  try {
    accessSync(name, constants.R_OK)
    return ownName(name)
  } catch {
    // Who gave us the descriptor may read the file, and we may not open it: it is read as a stream.
    return undefined
  }
}

function ownName(name: string): string {
  try {
    const path = realpathSync(name)
    const [named, given] = [statSync(path), fstatSync(inputDescriptor)]
    return named.dev === given.dev && named.ino === given.ino ? path : name
  } catch {
    // It was removed or moved meanwhile, or lies out of reach: the descriptor still leads to it.
    return name
  }
}

/**
 * Standard input as it comes. Each chunk is valid until the next is asked for.
 *
 * @throws BlockError `error while reading from standard input: …`
 */
export async function* inputChunks(): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(readBytes)
  for (;;) {
    const count = readInput(buffer)
    if (count === 0) return
    yield buffer.subarray(0, count)
  }
}

function readInput(buffer: Uint8Array): number {
  try {
    return tryAgain(() => readSync(inputDescriptor, buffer))
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    const message = `error while reading from standard input: ${reasonOf(error)}`
    throw new BlockError(isErrno(code) ? code : 'EIO', message, { cause: error })
  }
}

/**
 * Takes what is left of a pipe on standard input: who writes there would take it for a failure that nobody reads.
 *
 * @throws BlockError as `inputChunks`
 */
export function drainInput(): void {
  const stat = fstatSync(inputDescriptor)
  if (!stat.isFIFO() && !stat.isSocket()) return
  const buffer = new Uint8Array(readBytes)
  while (readInput(buffer) > 0);
}

/** Standard output; with places where it is a new file, or the new end of one. */
export interface OutputSink extends ByteSink {
  /** Makes a file as long as what came, and durable. */
  end(): void
}

/**
 * Standard output as a sink.
 *
 * @param sparse - zeroes may be left out of a file
 */
export function outputSink(sparse: boolean): OutputSink {
  const stat = fstatSync(outputDescriptor)
  if (!stat.isFile()) return { write: async (bytes) => writeAll(bytes), end: () => undefined }
  const start = placeBehind(stat.size)
  if (start === undefined) return { write: async (bytes) => writeAll(bytes), end: makeDurable }
  return new FileSink(start, sparse ? descriptorMover() : undefined)
}

/**
 * Where standard output stands; `undefined` where something of a file of `size` bytes lies behind, or where it always
 * writes at the end. Only behind the end does what is left out read as zeroes.
 */
function placeBehind(size: number): number | undefined {
  const state = descriptorState(outputDescriptor)
  const isBehind = state !== undefined && state.position >= size && (state.flags & appendFlag) === 0
  return isBehind ? state.position : undefined
}

/** A file from `start` on. Its descriptor goes along, since what others write to it next must lie behind. */
class FileSink implements OutputSink {
  readonly skip?: (bytes: number) => Promise<void>
  readonly #start: number
  #position: number
  /** Bytes up to `#position` that the descriptor has not been moved over yet. */
  #skipped = 0
  readonly #move: MoveDescriptor | undefined

  /** @param move - absent: nothing can be left out */
  constructor(start: number, move: MoveDescriptor | undefined) {
    this.#start = start
    this.#position = start
    this.#move = move
    if (move === undefined) return
    this.skip = async (bytes) => {
      this.#position += bytes
      this.#skipped += bytes
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#catchUp()
    writeAll(bytes)
    this.#position += bytes.length
  }

  async patch(offset: number, bytes: Uint8Array): Promise<void> {
    writeAll(bytes, this.#start + offset)
  }

  async flush(): Promise<void> {
    makeDurable()
  }

  end(): void {
    if (this.#skipped > 0) outputCall(() => ftruncateSync(outputDescriptor, this.#position))
    this.#catchUp()
    makeDurable()
  }

  #catchUp(): void {
    if (this.#skipped > 0) outputCall(() => this.#move?.(outputDescriptor, this.#position))
    this.#skipped = 0
  }
}

/** What the host has taken may still fail on its way to the disk. */
function makeDurable(): void {
  outputCall(() => fsyncSync(outputDescriptor))
}

function writeAll(bytes: Uint8Array, position?: number): void {
  outputCall(() => {
    for (let done = 0; done < bytes.length; ) {
      const place = position === undefined ? undefined : position + done
      done += tryAgain(() => writeSync(outputDescriptor, bytes, done, bytes.length - done, place))
    }
  })
}

/** @throws Failure `error while writing to standard output: …` */
function outputCall(call: () => void): void {
  try {
    call()
  } catch (error) {
    throw new Failure(`error while writing to standard output: ${reasonOf(error)}`, { cause: error })
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message: string }
  return isErrno(code) ? errnoText(code) : message
}

/** Waits where a pipe that somebody made non-blocking has nothing yet, or no room. */
function tryAgain(act: () => number): number {
  for (;;) {
    try {
      return act()
    } catch (error) {
      const { code } = error as { readonly code?: unknown }
      if (code === 'EOF') return 0
      if (code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}
