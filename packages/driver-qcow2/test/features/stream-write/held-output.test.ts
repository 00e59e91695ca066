/** Proves when the first cluster goes out: as soon as it is known, or when no more can be held back. */

import { expect, test } from 'vitest'
import { HeldOutput } from '../../../src/features/stream-write/held-output.ts'
import { failureOf } from '../../helpers/open-on.ts'
import { MemorySink } from '../../helpers/streams.ts'

const text = (sink: MemorySink): string => new TextDecoder().decode(sink.bytes)
const bytes = (words: string): Uint8Array => new TextEncoder().encode(words)

test('what fits is held back until the end', async () => {
  const sink = new MemorySink()
  const output = new HeldOutput({ sink, clusterSize: 4, heldMax: 8, worstCase: () => bytes('long') })
  await output.begin()
  await output.write(bytes('data'))
  expect([text(sink), output.position]).toEqual(['', 8])
  expect(await output.end(() => bytes('head'))).toBe(true)
  expect(text(sink)).toBe('headdata')
})

test('what does not fit goes out behind the first cluster of the worst case', async () => {
  const sink = new MemorySink()
  const output = new HeldOutput({ sink, clusterSize: 4, heldMax: 8, worstCase: () => bytes('long') })
  for (const word of ['data', 'and', 'more']) await output.write(bytes(word))
  expect(text(sink)).toBe('longdataandmore')
  expect(await output.end(() => bytes('head'))).toBe(false)
})

test('without a worst case it is refused', async () => {
  const output = new HeldOutput({ sink: new MemorySink(), clusterSize: 4, heldMax: 2, worstCase: undefined })
  expect(await failureOf(() => output.write(bytes('data')))).toMatch(/^ENOMEM A qcow2 stream begins with/)
})

test('a file takes everything at once, a place holder first', async () => {
  const sink = new MemorySink(true)
  const output = new HeldOutput({ sink, clusterSize: 4, heldMax: 0, worstCase: undefined })
  await output.begin()
  await output.write(bytes('data'))
  expect([text(sink), await output.end(() => bytes('head'))]).toEqual(['\0\0\0\0data', true])
})
