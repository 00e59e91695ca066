// A power cut keeps what was flushed and any part of the rest: every such state is shown, and no other.
import { expect, test } from 'vitest'
import { filled } from '../../src/testing/patterns.ts'
import { PowerLossStore } from '../../src/testing/power-loss.ts'

/** Crash states as `name: first byte of each sector`, shorter stores with fewer sectors. */
function states(store: PowerLossStore, options = {}): string[] {
  return [...store.crashStates(options)].map(({ name, store: state }) => {
    const bytes = state.bytes()
    const firsts = Array.from({ length: bytes.length / 512 }, (_, sector) => bytes[sector * 512])
    return `${name}: ${firsts.join(' ')}`
  })
}

test('without a flush any subset of the changes may be there', () => {
  const store = new PowerLossStore(1024)
  store.write(0, filled(1, 512))
  store.write(512, filled(2, 512))
  expect(states(store)).toEqual(['0:: 0 0', '0:0: 1 0', '0:1: 0 2', '0:0,1: 1 2'])
})

test('what was flushed is there in every later state', () => {
  const store = new PowerLossStore(filled(9, 1024))
  store.write(0, filled(1, 512))
  store.flush()
  store.flush()
  store.zero(512, 512)
  expect(states(store)).toEqual(['0:: 9 9', '0:0: 1 9', '1:: 1 9', '1:0: 1 0'])
})

test('later writes may be there without earlier ones, also to the same place', () => {
  const store = new PowerLossStore(512)
  store.write(0, filled(1, 512))
  store.write(0, filled(2, 512))
  expect(states(store)).toEqual(['0:: 0', '0:0: 1', '0:1: 2', '0:0,1: 2'])
})

test('growing by a write is part of the write; changing the length is a change of its own', () => {
  const store = new PowerLossStore(0)
  store.write(512, filled(1, 512))
  expect(states(store)).toEqual(['0:: ', '0:0: 0 1'])
  store.flush()
  store.resize(512)
  store.resize(512)
  expect(states(store).slice(2)).toEqual(['1:: 0 1', '1:0: 0'])
})

test('the data is kept as it was when it was written', () => {
  const store = new PowerLossStore(512)
  const data = filled(1, 512)
  store.write(0, data)
  data.fill(7)
  expect(states(store)).toEqual(['0:: 0', '0:0: 1'])
})

test('long intervals are sampled: none, all, each alone, all but one, every prefix, and random ones of the seed', () => {
  const make = () => {
    const store = new PowerLossStore(512 * 12)
    for (let i = 0; i < 12; i++) store.write(512 * i, filled(i + 1, 512))
    return store
  }
  const sample = states(make(), { samples: 5, seed: 3 })
  expect(sample).toHaveLength(2 + 12 + 12 + 12 + 5)
  expect(sample.slice(0, 3).map((state) => state.slice(0, state.indexOf(': ')))).toEqual([
    '0:',
    '0:0,1,2,3,4,5,6,7,8,9,10,11',
    '0:0',
  ])
  expect(states(make(), { samples: 5, seed: 3 })).toEqual(sample)
  expect(states(make(), { samples: 5, seed: 4 })).not.toEqual(sample)
  expect(states(make(), { exhaustive: 12 })).toHaveLength(4096)
})

test('states are independent stores', () => {
  const store = new PowerLossStore(512)
  store.write(0, filled(1, 512))
  for (const { store: state } of store.crashStates()) state.write(0, filled(9, 512))
  expect(states(store)).toEqual(['0:: 0', '0:0: 1'])
})

test('a torn request may be there in part, sector by sector', () => {
  const store = new PowerLossStore(1536)
  store.write(256, filled(1, 1024))
  expect([...store.crashStates()]).toHaveLength(2)
  const torn = [...store.crashStates({ tear: 512 })]
  expect(torn).toHaveLength(8)
  const middle = torn.find(({ name }) => name === '0:1')!.store.bytes()
  expect([middle[256], middle[511], middle[512], middle[1023], middle[1024]]).toEqual([0, 0, 1, 1, 0])
  store.flush()
  store.zero(512, 700)
  store.resize(512)
  expect([...store.crashStates({ tear: 512, from: 1 })].map(({ name }) => name)).toEqual([
    '1:',
    '1:0',
    '1:1',
    '1:0,1',
    '1:2',
    '1:0,2',
    '1:1,2',
    '1:0,1,2',
  ])
})

test('states tell their interval, and earlier ones can be left out', () => {
  const store = new PowerLossStore(512)
  store.write(0, filled(1, 512))
  store.flush()
  const flushed = store.currentInterval
  store.write(0, filled(2, 512))
  expect(flushed).toBe(1)
  expect([...store.crashStates()].map(({ interval }) => interval)).toEqual([0, 0, 1, 1])
  expect(states(store, { from: flushed })).toEqual(['1:: 1', '1:0: 2'])
})
