/** Several buffers as one range of bytes. */

/** Buffers that are filled or written one after the other. */
export type Vector = readonly Uint8Array[]

/** How many buffers one call takes (IOV_MAX of the systems that Node runs on). */
export const callBuffersMax = 1024

/** Bytes in all buffers together. */
export function bytesIn(vector: Vector): number {
  let sum = 0
  for (const buffer of vector) sum += buffer.length
  return sum
}

/** What is left after the first `done` bytes, as much as one call takes. Refers to the buffers, copies nothing. */
export function vectorFrom(vector: Vector, done: number): readonly Uint8Array[] {
  if (done === 0 && vector.length <= callBuffersMax) return vector
  const rest: Uint8Array[] = []
  let at = 0
  for (const buffer of vector) {
    const skipped = Math.max(0, done - at)
    at += buffer.length
    if (skipped >= buffer.length) continue
    rest.push(skipped === 0 ? buffer : buffer.subarray(skipped))
    if (rest.length === callBuffersMax) break
  }
  return rest
}

/** Zeroes everything from byte `start` on. */
export function fillFrom(vector: Vector, start: number): void {
  let at = 0
  for (const buffer of vector) {
    if (at + buffer.length > start) buffer.fill(0, Math.max(0, start - at))
    at += buffer.length
  }
}

/** Copies `source` into the buffers from byte `start` on. */
export function scatter(source: Uint8Array, vector: Vector, start: number): void {
  forEachOverlap(vector, { start, bytes: source.length }, (part, done) =>
    part.set(source.subarray(done, done + part.length)),
  )
}

/** Fills `target` from byte `start` of the buffers on. */
export function gather(vector: Vector, target: Uint8Array, start: number): void {
  forEachOverlap(vector, { start, bytes: target.length }, (part, done) => target.set(part, done))
}

/** Calls `visit` for each piece of a buffer inside the range, with the bytes of the range in front of it. */
function forEachOverlap(
  vector: Vector,
  range: { readonly start: number; readonly bytes: number },
  visit: (part: Uint8Array, done: number) => void,
): void {
  const end = range.start + range.bytes
  let at = 0
  for (const buffer of vector) {
    const from = Math.max(range.start - at, 0)
    const to = Math.min(end - at, buffer.length)
    if (from < to) visit(buffer.subarray(from, to), at + from - range.start)
    at += buffer.length
  }
}
