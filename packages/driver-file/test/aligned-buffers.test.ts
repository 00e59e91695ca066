/** Proves that windows begin at pages, that there are few of them, and that who waits gets one. */

import { expect, test } from 'vitest'
import { AlignedBuffers, allocAligned } from '../src/aligned-buffers.ts'
import { type Libc, loadLibc } from '../src/libc.ts'

const libc = loadLibc().libc as Libc
const pageOffset = (buffer: Uint8Array): number => libc.pageOffset(buffer)

test('memory begins at a page', () => {
  for (const bytes of [1024, 5000, 1 << 20]) {
    const buffer = allocAligned(bytes, pageOffset)
    expect([buffer.length, pageOffset(buffer)]).toEqual([bytes, 0])
    expect(pageOffset(buffer.subarray(513))).toBe(513)
  }
})

test('at most eight windows are out, nobody shares one, and a failing user gives it back', async () => {
  const buffers = new AlignedBuffers(pageOffset)
  const out = new Set<Uint8Array>()
  const all = new Set<Uint8Array>()
  let most = 0
  const use = (fails: boolean): Promise<void> =>
    buffers.with(async (window) => {
      expect(out.has(window)).toBe(false)
      out.add(window)
      all.add(window)
      most = Math.max(most, out.size)
      await new Promise((resolve) => setImmediate(resolve))
      out.delete(window)
      if (fails) throw new Error('on purpose')
    })
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => use(index % 3 === 0)))
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(17)
  expect([most, all.size]).toEqual([8, 8])
})
