/** A small VDI header to start tests from: 3 MiB in blocks of 1 MiB, the map at 512, data at 1024. */

import { headerBytes } from '../src/header.ts'

const good: Readonly<Record<number, number>> = {
  0x40: 0xbeda107f,
  0x44: 0x00010001,
  0x48: 0x190,
  0x4c: 1,
  0x154: 512,
  0x158: 1024,
  0x168: 512,
  0x170: 3 * 2 ** 20,
  0x178: 2 ** 20,
  0x180: 3,
}

/** The header with `fields` (32-bit words by offset) put over it. */
export function header(fields: Readonly<Record<number, number>> = {}): Uint8Array {
  const bytes = new Uint8Array(headerBytes)
  const view = new DataView(bytes.buffer)
  for (const [offset, value] of Object.entries({ ...good, ...fields })) view.setUint32(Number(offset), value, true)
  return bytes
}
