/** Buffers of one byte's value, and buffers as text. */

const bytesPerLine = 16

/** Whether every byte of `data` is `pattern`. */
export function isFilledWith(data: Uint8Array, pattern: number): boolean {
  // Four bytes at a time: a request may have two gigabytes.
  const head = Math.min(data.length, (4 - (data.byteOffset % 4)) % 4)
  const wordCount = Math.floor((data.length - head) / 4)
  const wordsStart = wordCount === 0 ? 0 : data.byteOffset + head
  const words = new Uint32Array(data.buffer, wordsStart, wordCount)
  const word = (pattern * 0x0101_0101) >>> 0
  for (let i = 0; i < wordCount; i++) if (words[i] !== word) return false
  const isPattern = (byte: number): boolean => byte === pattern
  return data.subarray(0, head).every(isPattern) && data.subarray(head + wordCount * 4).every(isPattern)
}

/** Fills `buffer` with `source`, again and again. @param source - not empty */
export function fillCyclically(buffer: Uint8Array, source: Uint8Array): void {
  buffer.set(source.subarray(0, buffer.length))
  // What is filled already is doubled: its length stays a multiple of the source's.
  for (let filled = source.length; filled < buffer.length; filled *= 2) buffer.copyWithin(filled, 0, filled)
}

/**
 * Lines of up to 16 bytes: offset, bytes, letters and digits. The last line is not padded.
 *
 * @param offset - of the first byte, as it is shown
 */
export function* dumpLines(data: Uint8Array, offset: number): Generator<string> {
  for (let at = 0; at < data.length; at += bytesPerLine) {
    const line = data.subarray(at, at + bytesPerLine)
    const address = (offset + at).toString(16).padStart(8, '0')
    const hex = Array.from(line, (byte) => `${byte.toString(16).padStart(2, '0')} `).join('')
    yield `${address}:  ${hex} ${Array.from(line, visible).join('')}\n`
  }
}

function visible(byte: number): string {
  const letter = String.fromCharCode(byte)
  return /[A-Za-z0-9]/.test(letter) ? letter : '.'
}
