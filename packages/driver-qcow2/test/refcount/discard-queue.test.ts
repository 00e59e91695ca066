/** Proves that freed clusters wait as sorted, merged runs, and are punched and released together. */

import { random } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { makeGeometry } from '../../src/format/geometry.ts'
import { DiscardQueue } from '../../src/refcount/discard-queue.ts'
import { HostReads } from '../../src/refcount/host-reads.ts'
import { MemoryChild } from '../helpers/memory-child.ts'

const passthrough = { never: false, always: true, request: false, snapshot: true, other: false }

function makeQueue() {
  const file = new MemoryChild(new Uint8Array(1024 * 1024))
  const geometry = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: 4 })
  const reads = new HostReads()
  const queue = new DiscardQueue({ file, geometry, reads, passthrough })
  const punched = () => file.log.flatMap(({ kind, offset, bytes }) => (kind === 'discard' ? [[offset, bytes]] : []))
  return { file, queue, punched, reads }
}

test('adjacent clusters of one class become one hole', async () => {
  const { queue, punched } = makeQueue()
  queue.add(10, 2, 'always')
  queue.add(12, 1, 'snapshot')
  queue.add(9, 1, 'always')
  queue.add(13, 1, 'never')
  queue.add(20, 1, 'always')
  expect([9, 10, 12, 13, 20].map((cluster) => queue.holds(cluster))).toEqual([true, true, true, true, true])
  expect([8, 14, 19, 21].some((cluster) => queue.holds(cluster))).toBe(false)
  const released: number[] = []
  queue.onRelease((first) => released.push(first))
  await queue.release()
  await queue.release()
  expect(punched()).toEqual([
    [9 * 512, 4 * 512],
    [20 * 512, 512],
  ])
  expect([released, queue.isEmpty, queue.holds(10)]).toEqual([[9], true, false])
})

test('the policy can change, and single holes need no waiting', async () => {
  const { queue, punched } = makeQueue()
  queue.configure({ ...passthrough, request: true })
  await queue.punch(3, 2, 'request')
  await queue.punch(5, 2, 'other')
  expect(punched()).toEqual([[3 * 512, 1024]])
})

test('clusters that are being read keep their content', async () => {
  const { queue, punched, reads } = makeQueue()
  queue.add(1, 1, 'always')
  reads.begin()
  await queue.release()
  expect([punched(), queue.holds(1)]).toEqual([[], true])
  // A full list cannot wait for the next flush: it waits for the reads.
  for (let run = 1; run < 4096; run++) queue.add(2 * run + 1, 1, 'never')
  const releasing = queue.release()
  await Promise.resolve()
  expect(queue.isFull).toBe(true)
  reads.end()
  await releasing
  expect([punched(), queue.isEmpty]).toEqual([[[512, 512]], true])
})

test('a hole that cannot be punched is no failure', async () => {
  const { file, queue } = makeQueue()
  file.fail = () => 'EIO'
  queue.add(1, 1, 'always')
  await queue.release()
  expect(queue.isEmpty).toBe(true)
})

test('the list says when it is full, and forgets without a trace', () => {
  const { queue, file } = makeQueue()
  for (let run = 0; run < 4096; run++) queue.add(2 * run, 1, 'always')
  expect(queue.isFull).toBe(true)
  queue.clear()
  expect([queue.isEmpty, queue.isFull, file.log]).toEqual([true, false, []])
})

// Whoever finds the list full asks for a flush, and that may fail: what is freed then must not get lost.
test('a full list takes more', async () => {
  const { queue, punched } = makeQueue()
  for (let run = 9000; run > 0; run--) queue.add(2 * run, 1, 'always')
  for (let run = 1; run <= 9000; run++) expect([queue.holds(2 * run), queue.holds(2 * run + 1)]).toEqual([true, false])
  await queue.release()
  expect(punched()).toHaveLength(9000)
  expect(queue.isEmpty).toBe(true)
})

test.each([1, 2, 3])('it holds exactly what was added, seed %i', (seed) => {
  const { queue } = makeQueue()
  const choose = random(seed)
  const model = new Set<number>()
  for (let step = 0; step < 500; step++) {
    const first = choose.below(2000)
    if (model.has(first)) continue
    model.add(first)
    queue.add(first, 1, choose.pick(['always', 'never']))
  }
  for (let cluster = 0; cluster < 2001; cluster++) expect(queue.holds(cluster)).toBe(model.has(cluster))
})
