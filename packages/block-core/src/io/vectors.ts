/** Several buffers as one range of bytes: lengths, parts, filling. Never copies what it can refer to. */

import type { IoBuffers } from '../driver/requests.ts'

/** Bytes in all buffers together. */
export function bytesIn(buffers: IoBuffers): number {
  if (buffers instanceof Uint8Array) return buffers.length
  let sum = 0
  for (const buffer of buffers) sum += buffer.length
  return sum
}

/** One buffer where one is enough; empty buffers are left out. */
export function simplified(buffers: IoBuffers): IoBuffers {
  if (buffers instanceof Uint8Array) return buffers
  const filled = buffers.every((buffer) => buffer.length > 0) ? buffers : buffers.filter((buffer) => buffer.length > 0)
  if (filled.length > 1) return filled
  return filled[0] ?? new Uint8Array(0)
}

/** Views of `bytes` bytes from `start`. */
export function sliceOf(buffers: IoBuffers, start: number, bytes: number): IoBuffers {
  if (buffers instanceof Uint8Array) {
    return bytes === buffers.length ? buffers : buffers.subarray(start, start + bytes)
  }
  const parts: Uint8Array[] = []
  const end = start + bytes
  let at = 0
  for (const buffer of buffers) {
    if (at >= end) break
    const from = Math.max(start - at, 0)
    const to = Math.min(end - at, buffer.length)
    if (from < to) parts.push(from === 0 && to === buffer.length ? buffer : buffer.subarray(from, to))
    at += buffer.length
  }
  return simplified(parts)
}

/** Zeroes everything from byte `start` on. */
export function zeroFrom(buffers: IoBuffers, start: number): void {
  if (buffers instanceof Uint8Array) {
    buffers.fill(0, start)
    return
  }
  let at = 0
  for (const buffer of buffers) {
    if (at + buffer.length > start) buffer.fill(0, Math.max(0, start - at))
    at += buffer.length
  }
}

/** Copies `source` into the buffers from byte `start` on. */
export function scatter(source: Uint8Array, into: IoBuffers, start = 0): void {
  if (into instanceof Uint8Array) {
    into.set(source, start)
    return
  }
  let at = 0
  for (const buffer of into) {
    const from = Math.max(start - at, 0)
    const done = at + from - start
    if (from < buffer.length && done < source.length) {
      buffer.set(source.subarray(done, done + buffer.length - from), from)
    }
    at += buffer.length
  }
}

/** Copies everything into `into` from its byte `start` on. */
export function gather(buffers: IoBuffers, into: Uint8Array, start = 0): void {
  if (buffers instanceof Uint8Array) {
    into.set(buffers, start)
    return
  }
  let at = start
  for (const buffer of buffers) {
    into.set(buffer, at)
    at += buffer.length
  }
}

/** One buffer with all the bytes: the only one there is, or a copy. */
export function joined(buffers: IoBuffers): Uint8Array {
  if (buffers instanceof Uint8Array) return buffers
  const whole = new Uint8Array(bytesIn(buffers))
  gather(buffers, whole)
  return whole
}

/** The lengths of all buffers. */
export function lengthsOf(buffers: IoBuffers): readonly number[] {
  return buffers instanceof Uint8Array ? [buffers.length] : buffers.map((buffer) => buffer.length)
}
