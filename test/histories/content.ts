/** What a disk shows, as runs of one byte each: short to say to the reference, and quick to compare. */

/** A range of one byte. */
export interface ByteRun {
  /** Guest offset in bytes. */
  readonly start: number
  readonly bytes: number
  readonly value: number
}

/** The runs of `bytes`, in order. */
export function runsOf(bytes: Uint8Array): ByteRun[] {
  const runs: ByteRun[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = endOfRun(bytes, start)
    runs.push({ start, bytes: end - start, value: bytes[start]! })
    start = end
  }
  return runs
}

/** Whole words where it can: every step is followed by a look at the whole disk. */
function endOfRun(bytes: Uint8Array, start: number): number {
  const value = bytes[start]!
  let at = start
  while (at < bytes.length && at % 4 !== 0 && bytes[at] === value) at++
  if (at % 4 !== 0) return at
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4))
  const wanted = (value * 0x01010101) >>> 0
  let word = at / 4
  while (word < words.length && words[word] === wanted) word++
  at = word * 4
  while (at < bytes.length && bytes[at] === value) at++
  return at
}

/** A range that the image itself decides, or not (`qemu-io`'s `map`). */
export interface AllocationRun {
  readonly start: number
  readonly bytes: number
  readonly allocated: boolean
}

/** A range as `qemu-img map` lists it, without its place in the file: that is no promise. */
export interface MapRun {
  readonly start: number
  readonly bytes: number
  readonly depth: number
  readonly present: boolean
  readonly zero: boolean
  readonly data: boolean
}

/** Neighbours of one kind become one run. */
export function mergeRuns<Run extends { readonly start: number; readonly bytes: number }>(runs: Iterable<Run>): Run[] {
  const merged: Run[] = []
  for (const run of runs) {
    const last = merged.at(-1)
    if (last !== undefined && isOfKind(last, run))
      merged[merged.length - 1] = { ...last, bytes: last.bytes + run.bytes }
    else merged.push(run)
  }
  return merged
}

function isOfKind<Run extends object>(a: Run, b: Run): boolean {
  return Object.entries(a).every(([key, value]) => key === 'start' || key === 'bytes' || b[key as keyof Run] === value)
}

/** The first place at which two lists of runs differ, in words; `undefined` where they are equal. */
export function runDifference(ours: readonly object[], theirs: readonly object[]): string | undefined {
  for (let at = 0; at < Math.max(ours.length, theirs.length); at++) {
    const [a, b] = [JSON.stringify(ours[at]), JSON.stringify(theirs[at])]
    if (a !== b) return `ours ${a ?? 'ends'}, the reference ${b ?? 'ends'}`
  }
  return undefined
}
