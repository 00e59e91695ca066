// Memory of requests is bounded, nobody starves, and a request that waits for one below cannot block it.
import { expect, test } from 'vitest'
import { createBlockGraph } from '../../src/index.ts'
import { BounceBudget, withBounce } from '../../src/node/bounce-budget.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { filled } from '../../src/testing/patterns.ts'
import { random } from '../../src/testing/seed.ts'
import { filterOver } from '../helpers/filter.ts'
import { openRecorder, settle } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'

const [a, b] = [{ owner: 'a' }, { owner: 'b' }]

test('what does not fit waits, in the order of asking', async () => {
  const budget = new BounceBudget(100)
  const order: string[] = []
  expect(budget.take(a, 60)).toBeUndefined()
  const big = budget.take(a, 50)?.then(() => order.push('big'))
  // It would fit, but the other one came first.
  const small = budget.take(a, 10)?.then(() => order.push('small'))
  expect([big, small].every((wait) => wait !== undefined)).toBe(true)
  budget.give(a, 60)
  await Promise.all([big, small])
  expect([order, budget.used, budget.peak]).toEqual([['big', 'small'], 60, 60])
})

test('an owner that holds nothing never waits; its next request does', async () => {
  const budget = new BounceBudget(100)
  expect(budget.take(a, 100)).toBeUndefined()
  expect(budget.take(b, 70)).toBeUndefined()
  let second = false
  void budget.take(b, 70)?.then(() => {
    second = true
  })
  await settle()
  expect(second).toBe(false)
  budget.give(b, 70)
  await settle()
  // The upper node holds everything, and still the lower one goes on.
  expect([second, budget.used]).toEqual([true, 170])
})

test('more than the whole budget goes alone', async () => {
  const budget = new BounceBudget(100)
  expect(budget.take(a, 30)).toBeUndefined()
  let big = false
  void budget.take(a, 500)?.then(() => {
    big = true
  })
  await settle()
  expect(big).toBe(false)
  budget.give(a, 30)
  await settle()
  expect(big).toBe(true)
})

test('a section gives back what it took, also when it fails; none takes nothing', async () => {
  const budget = new BounceBudget(100)
  const failing = withBounce(budget, a, 40, async () => {
    expect(budget.used).toBe(40)
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(budget.used).toBe(0)
  await withBounce(budget, a, 0, async () => expect(budget.used).toBe(0))
})

const MiB = 2 ** 20

// Drivers that take one buffer at a time, and buffers so small that all of them have to be joined.
test('1000 unaligned requests of 1 MiB at once hold no more than the budget', async () => {
  const recorder = new Recorder(4 * MiB)
  recorder.limits = { requestAlignment: 4096 }
  recorder.vectored = false
  recorder.before = () => new Promise<void>((resolve) => setImmediate(resolve))
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny', bounceBytesMax: 8 * MiB })
  const disk = await graph.open(record(recorder))
  const { bounce } = graphNode(disk.root).io
  const parts = Array.from({ length: 512 }, () => new Uint8Array(2048))
  const reads = Array.from({ length: 1000 }, (_, i) => disk.read(1 + i * 1000, parts))
  await settle()
  expect(bounce.used).toBeGreaterThan(7 * MiB)
  await Promise.all(reads)
  expect(bounce.peak).toBeLessThanOrEqual(8 * MiB)
  expect(bounce.used).toBe(0)
  await graph.close()
})

test('1000 unaligned writes at once through two layers with the same small budget all arrive, seed 41', async () => {
  const choose = random(41)
  const recorder = new Recorder(MiB)
  recorder.limits = { requestAlignment: 4096 }
  recorder.before = async () => {
    if (choose.below(2) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny', bounceBytesMax: 3 * 4096 })
  const disk = await graph.open(filterOver(record(recorder)))
  const model = new Uint8Array(MiB)
  await Promise.all(
    Array.from({ length: 1000 }, (_, i) => {
      const data = filled(1 + (i % 255), 900)
      model.set(data, i * 1000)
      return disk.write(i * 1000, data)
    }),
  )
  expect(recorder.store.bytes()).toEqual(model)
  expect(graphNode(disk.root).io.bounce.used).toBe(0)
  await graph.close()
})

test('an aligned request takes nothing', async () => {
  const recorder = new Recorder(MiB)
  recorder.limits = { requestAlignment: 4096 }
  await using opened = await openRecorder(recorder)
  await opened.disk.write(0, [filled(1, 8192), filled(2, 100), filled(3, 3996)])
  await opened.disk.read(0, new Uint8Array(65536))
  expect(opened.node.io.bounce.peak).toBe(0)
})
