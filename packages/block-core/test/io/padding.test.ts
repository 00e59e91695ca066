// Padding: the smallest aligned range, which blocks are read for it, and the events around those reads.
import { expect, test } from 'vitest'
import { type PaddedRange, padRange, readSurroundings, surroundingsBytes } from '../../src/io/padding.ts'
import { filled, stamped } from '../../src/testing/patterns.ts'
import { random } from '../../src/testing/seed.ts'
import { openListener } from '../helpers/listener.ts'
import { Recorder } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

test('a padded range is the smallest aligned one that holds the request', () => {
  expect(padRange(1000, 200, 4096)).toEqual({ start: 0, end: 4096, head: 1000, tail: 2896 })
  expect(padRange(4096, 8192, 4096)).toEqual({ start: 4096, end: 12288, head: 0, tail: 0 })
  expect(padRange(7, 3, 1)).toEqual({ start: 7, end: 10, head: 0, tail: 0 })
  expect(padRange(2 ** 45 + 1, 1, 2 ** 30)).toEqual({
    start: 2 ** 45,
    end: 2 ** 45 + 2 ** 30,
    head: 1,
    tail: 2 ** 30 - 2,
  })
})

test('random ranges, seed 11: aligned, minimal, and they hold the request', () => {
  const choose = random(11)
  for (let i = 0; i < 1000; i++) {
    const alignment = 2 ** choose.below(20)
    const offset = choose.below(2 ** 31) * choose.pick([1, 512, 4096])
    const bytes = 1 + choose.below(2 ** 20)
    const { start, end, head, tail } = padRange(offset, bytes, alignment)
    expect([start % alignment, end % alignment]).toEqual([0, 0])
    expect([start + head, end - tail]).toEqual([offset, offset + bytes])
    expect(head < alignment && tail < alignment).toBe(true)
  }
})

async function padded(range: PaddedRange): Promise<{ log: string[]; buffer: Uint8Array }> {
  const recorder = new Recorder(stamped(0, 32768))
  recorder.limits = { requestAlignment: 4096 }
  await using opened = await openListener(recorder)
  const { head, tail, whole } = await readSurroundings(opened.node, range)
  const buffer = whole ?? filled(0xee, range.end - range.start)
  if (head !== undefined) buffer.set(head)
  if (tail !== undefined) buffer.set(tail, buffer.length - tail.length)
  const held = (head?.length ?? 0) + (tail?.length ?? 0) + (whole?.length ?? 0)
  expect(held).toBe(surroundingsBytes(range, 4096))
  return { log: recorder.take(), buffer }
}

test('head and tail in one block or in neighbours are one read', async () => {
  const one = await padded(padRange(1000, 200, 4096))
  expect(one.log).toEqual([
    'event pwritev_rmw_head',
    'event pwritev_rmw_tail',
    'read 0+4096',
    'event pwritev_rmw_after_head',
    'event pwritev_rmw_after_tail',
  ])
  expect((await padded(padRange(4000, 200, 4096))).log).toContain('read 0+8192')
})

test('blocks apart are read one by one, the head first', async () => {
  const { log, buffer } = await padded(padRange(1000, 12000, 4096))
  expect(log).toEqual([
    'event pwritev_rmw_head',
    'read 0+4096',
    'event pwritev_rmw_after_head',
    'event pwritev_rmw_tail',
    'read 12288+4096',
    'event pwritev_rmw_after_tail',
  ])
  expect(buffer.subarray(0, 4096)).toEqual(stamped(0, 4096))
  expect(buffer.subarray(4096, 12288)).toEqual(filled(0xee, 8192))
  expect(buffer.subarray(12288)).toEqual(stamped(12288, 4096))
})

test('an edge that is aligned is not read', async () => {
  expect((await padded(padRange(100, 8092, 4096))).log).toEqual([
    'event pwritev_rmw_head',
    'read 0+4096',
    'event pwritev_rmw_after_head',
  ])
  expect((await padded(padRange(4096, 5000, 4096))).log).toEqual([
    'event pwritev_rmw_tail',
    'read 8192+4096',
    'event pwritev_rmw_after_tail',
  ])
})

// The reference goes on after a failed read and writes what happens to be in memory.
test('a failing padding read fails the request', async () => {
  const recorder = new Recorder(8192)
  recorder.limits = { requestAlignment: 4096 }
  await using opened = await openListener(recorder)
  recorder.before = (request) => (request.startsWith('read') ? Promise.reject(new Error('no read')) : undefined)
  expect(await failure(opened.disk.write(1, filled(1, 2)))).toBe('no read')
  expect(recorder.take().filter((request) => request.startsWith('write'))).toEqual([])
})
