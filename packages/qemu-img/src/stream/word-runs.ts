/** Tables of pointers in little room: runs of 64-bit words that grow by the same step, zeroes among them. */

const two32 = 2 ** 32
/** Numbers of one run: index of its first word, upper and lower half of that word, step. */
const runNumbers = 4

/**
 * Packs big-endian words.
 *
 * @param bytes - a multiple of 8
 * @param runsMax - give up where more runs are needed
 * @returns `undefined` where it gave up
 */
export function packWords(bytes: Uint8Array, runsMax: number): Float64Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = bytes.length / 8
  const runs: number[] = []
  for (let word = 0; word < count; ) {
    if (runs.length >= runsMax * runNumbers) return undefined
    const step = word + 1 < count ? stepAt(view, word) : Number.NaN
    runs.push(word, view.getUint32(word * 8), view.getUint32(word * 8 + 4), Number.isNaN(step) ? 0 : step)
    word++
    if (Number.isNaN(step)) continue
    while (word < count && stepAt(view, word - 1) === step) word++
  }
  return Float64Array.from(runs)
}

/** How much the word behind `word` is larger; not a number where the halves are too far apart to count exactly. */
function stepAt(view: DataView, word: number): number {
  const high = view.getUint32(word * 8 + 8) - view.getUint32(word * 8)
  return Math.abs(high) > 1 ? Number.NaN : high * two32 + view.getUint32(word * 8 + 12) - view.getUint32(word * 8 + 4)
}

/** Writes packed words into `into`, which is as long as what was packed. */
export function unpackWords(runs: Float64Array, into: Uint8Array): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength)
  for (let run = 0; run < runs.length; run += runNumbers) {
    const [first, high, low, step] = [runs[run]!, runs[run + 1]!, runs[run + 2]!, runs[run + 3]!]
    const end = runs[run + runNumbers] ?? into.length / 8
    for (let word = first; word < end; word++) {
      const value = low + (word - first) * step
      const carry = Math.floor(value / two32)
      view.setUint32(word * 8, high + carry)
      view.setUint32(word * 8 + 4, value - carry * two32)
    }
  }
}
