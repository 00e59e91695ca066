/** Proves that what a browser deflates every reader inflates. */

import { inflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { deflate, inflate } from '../../../src/data/compression/codec-browser.ts'

test('what is deflated comes back, and needs no larger window than other readers have', async () => {
  const data = Uint8Array.from({ length: 65536 }, (_, at) => ((at * at) >>> 7) % 251)
  const deflated = await deflate(data)
  expect(deflated.length).toBeLessThan(data.length)
  const back = new Uint8Array(data.length)
  inflate(deflated, back)
  expect(back).toEqual(data)
  expect(new Uint8Array(inflateRawSync(deflated, { windowBits: 12 }))).toEqual(data)
})
