/** Standard input and output as streams of bytes, and as files where they are such. */

import { accessSync, constants, fstatSync, ftruncateSync, readFileSync, readSync, writeSync } from 'node:fs'
import { errnoText, isErrno } from '@blocklayer/block-core'
import type { ByteSink } from '@blocklayer/qemu-img'
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

/** A name by which standard input can be opened as a file from its begin; `undefined` where it is a stream. */
export function inputFile(): string | undefined {
  const name = '/proc/self/fd/0'
  if (!fstatSync(inputDescriptor).isFile() || descriptorState(inputDescriptor)?.position !== 0) return undefined
  try {
    accessSync(name, constants.R_OK)
    return name
  } catch {
    // Who gave us the descriptor may read the file, and we may not open it: it is read as a stream.
    return undefined
  }
}

/** Standard input as it comes. Each chunk is valid until the next is asked for. */
export async function* inputChunks(): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(readBytes)
  for (;;) {
    const count = tryAgain(() => readSync(inputDescriptor, buffer))
    if (count === 0) return
    yield buffer.subarray(0, count)
  }
}

/** Standard output; with places where it is a new file. */
export interface OutputSink extends ByteSink {
  /** Makes a file as long as what came. */
  end(): void
}

/**
 * Standard output as a sink.
 *
 * @param sparse - zeroes may be left out of a file
 */
export function outputSink(sparse: boolean): OutputSink {
  return isNewFile() ? fileSink(sparse) : { write: async (bytes) => writeAll(bytes), end: () => undefined }
}

/** Only in an empty file does what is left out read as zeroes. */
function isNewFile(): boolean {
  const stat = fstatSync(outputDescriptor)
  if (!stat.isFile() || stat.size > 0) return false
  const state = descriptorState(outputDescriptor)
  return state?.position === 0 && (state.flags & appendFlag) === 0
}

function fileSink(sparse: boolean): OutputSink {
  let position = 0
  const sink: OutputSink = {
    write: async (bytes) => {
      writeAll(bytes, position)
      position += bytes.length
    },
    patch: async (offset, bytes) => writeAll(bytes, offset),
    end: () => ftruncateSync(outputDescriptor, position),
  }
  if (!sparse) return sink
  const skip = async (bytes: number): Promise<void> => {
    position += bytes
  }
  return { ...sink, skip }
}

function writeAll(bytes: Uint8Array, position?: number): void {
  try {
    for (let done = 0; done < bytes.length; ) {
      const place = position === undefined ? undefined : position + done
      done += tryAgain(() => writeSync(outputDescriptor, bytes, done, bytes.length - done, place))
    }
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
