/** Header bytes for tests to start from. */

import { viewOf } from '../../src/format/bytes.ts'

/**
 * The first 112 bytes of what the reference creates for 1 MiB with default options.
 *
 * @param change - alters the bytes before they are given out
 */
export function plainHeaderBytes(change: (view: DataView) => void = () => undefined): Uint8Array {
  const bytes = new Uint8Array(112)
  const view = viewOf(bytes)
  const fields: readonly (readonly [number, number])[] = [
    [0, 0x514649fb],
    [4, 3],
    [20, 16],
    [28, 0x100000],
    [36, 1],
    [44, 0x30000],
    [52, 0x10000],
    [56, 1],
    [96, 4],
    [100, 112],
  ]
  for (const [offset, value] of fields) view.setUint32(offset, value)
  change(view)
  return bytes
}
