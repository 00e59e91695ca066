// One planned request fails, and every request of an operation gets its turn.
import { expect, test } from 'vitest'
import { createBlockGraph } from '../../src/index.ts'
import { FaultCounter, FaultStore, faultVariants, forEachFault } from '../../src/testing/fault-plan.ts'
import { memory } from '../../src/testing/memory-driver.ts'
import { filled } from '../../src/testing/patterns.ts'
import { failure } from '../helpers/world.ts'

test('only the planned request fails, and the store says whether it came', () => {
  const store = new FaultStore(512)
  store.arm({ index: 1 })
  store.write(0, filled(1, 512))
  expect(store.hit).toBe(false)
  expect(() => store.write(0, filled(2, 512))).toThrow('Input/output error')
  expect(store.hit).toBe(true)
  store.write(0, filled(3, 512))
  store.disarm()
  expect([store.hit, store.bytes()[0]]).toEqual([true, 3])
  store.arm({ index: 0, code: 'ENOSPC' })
  expect(store.hit).toBe(false)
  expect(() => store.flush()).toThrow('No space left on device')
})

test('kinds are counted as planned; a write that makes the store longer is one request', () => {
  const store = new FaultStore(0)
  store.arm({ index: 2 })
  store.write(0, filled(1, 512))
  store.read(0, new Uint8Array(512))
  store.zero(512, 512)
  expect(() => store.resize(4096)).toThrow('Input/output error')
  expect(store.length).toBe(1024)
  store.arm({ index: 0, kinds: ['read'] })
  store.write(0, filled(1, 512))
  store.flush()
  store.zero(0, 512)
  store.resize(2048)
  expect(() => store.read(0, new Uint8Array(1))).toThrow('Input/output error')
})

test('a fault for good stays', () => {
  const store = new FaultStore(512)
  store.arm({ index: 0, forGood: true })
  for (let i = 0; i < 3; i++) expect(() => store.flush()).toThrow('Input/output error')
  store.disarm()
  store.flush()
  expect(store.flushes).toBe(1)
})

test('every request of an operation is made to fail once', async () => {
  const failures: string[] = []
  const count = await forEachFault(async (index) => {
    const store = new FaultStore(4096)
    await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
    const disk = await graph.open(memory(store))
    store.arm({ index })
    const work = async () => {
      await disk.write(0, filled(1, 512))
      await disk.writeZeroes(512, 512)
      await disk.flush()
    }
    failures.push(await failure(work()))
    store.disarm()
    return store.hit
  })
  expect([count, failures]).toEqual([
    3,
    ['Input/output error', 'Input/output error', 'Input/output error', 'no failure'],
  ])
})

test('discards are a kind of their own: a driver may pass over the failure of one', () => {
  const store = new FaultStore(1024)
  store.write(0, filled(1, 1024))
  store.arm({ index: 0, kinds: ['zero'] })
  store.discard(0, 512)
  expect(store.bytes()[0]).toBe(0)
  store.arm({ index: 0, kinds: ['discard'] })
  store.zero(0, 512)
  expect(() => store.discard(512, 512)).toThrow('Input/output error')
  expect(store.bytes()[512]).toBe(1)
})

test('stores that share a counter are counted together', () => {
  const counter = new FaultCounter()
  const [a, b] = [new FaultStore(512, counter), new FaultStore(512, counter)]
  counter.arm({ index: 1 })
  a.flush()
  expect(() => b.flush()).toThrow('Input/output error')
  expect([a.hit, b.hit, counter.hit]).toEqual([true, true, true])
  a.disarm()
  b.flush()
})

test('every variant is gone through: both codes, once and for good, each kind', async () => {
  const seen: string[] = []
  const requests = await forEachFault(async (index, { code, forGood, kinds }) => {
    seen.push(`${code} ${forGood} ${kinds?.join('+')} ${index}`)
    return index < 1
  }, faultVariants)
  expect(requests).toBe(16)
  expect(seen).toHaveLength(32)
  expect(seen.slice(0, 4)).toEqual([
    'EIO false read 0',
    'EIO false read 1',
    'EIO false write+zero+discard 0',
    'EIO false write+zero+discard 1',
  ])
})

test('whoever only looks makes no request that counts', async () => {
  const counter = new FaultCounter()
  const store = new FaultStore(512, counter)
  counter.arm({ index: 0, kinds: ['read'] })
  await counter.quietly(async () => store.read(0, new Uint8Array(512)))
  expect(counter.hit).toBe(false)
  await expect(counter.quietly(() => Promise.reject(new Error('seen')))).rejects.toThrow('seen')
  expect(() => store.read(0, new Uint8Array(512))).toThrow('Input/output error')
})
