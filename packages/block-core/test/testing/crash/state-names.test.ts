// Every name of the grammar builds the state that it says, and no other name builds any.
import { expect, test } from 'vitest'
import type { DiskChange } from '../../../src/testing/crash/journal.ts'
import type { CrashMoment } from '../../../src/testing/crash/moments.ts'
import { ScratchDisk } from '../../../src/testing/crash/scratch-disk.ts'
import { buildState, namesAt, StatePlan } from '../../../src/testing/crash/state-names.ts'
import { filled } from '../../../src/testing/patterns.ts'

const write = (sector: number, value: number, sectors = 1): DiskChange => ({
  kind: 'write',
  disk: 0,
  offset: 512 * sector,
  data: filled(value, 512 * sectors),
})
const resize = (length: number): DiskChange => ({ kind: 'resize', disk: 0, length })

const plan = (durable: number, doubtful: DiskChange[], seed = 1): StatePlan => {
  const moment: CrashMoment = { number: 0, position: 0, durable: [filled(9, durable)], doubtful }
  return new StatePlan(moment, seed)
}

function built(of: StatePlan, name: string): string {
  const disk = new ScratchDisk(of.moment.durable[0]!)
  buildState(of, name, [disk])
  const bytes = disk.bytes()
  return Array.from({ length: Math.ceil(bytes.length / 512) }, (_, sector) => bytes[sector * 512]).join('')
}

test('names of requests', () => {
  const three = plan(1536, [write(0, 1, 2), write(1, 2), write(2, 3)])
  expect(['none', 'all', 'w0', 'w1', 'w0,2', 'w!1', 'w<1'].map((name) => built(three, name))).toEqual([
    '999',
    '123',
    '119',
    '929',
    '113',
    '113',
    '129',
  ])
})

test('names of sectors', () => {
  const three = plan(1536, [write(0, 1, 2), write(1, 2), write(2, 3)])
  expect(['s0.0', 's1.0', 's1.1', 's!1', 's<1'].map((name) => built(three, name))).toEqual([
    '199',
    '919',
    '929',
    '193',
    '129',
  ])
})

test('counted states are all combinations, with each set of resizes', () => {
  const cut = plan(1024, [write(0, 1), resize(512), write(1, 2)])
  const names = [...namesAt(cut, {})]
  expect(names).toHaveLength(8)
  expect(names.map((name) => built(cut, name)).sort()).toEqual(['1', '12', '12', '19', '9', '92', '92', '99'])
})

test('many resizes are kept in their own order', () => {
  expect(
    plan(
      512,
      [1, 2, 3, 4].map((sectors) => resize(512 * sectors)),
    ).frames.map((kept) => kept.length),
  ).toEqual([0, 1, 2, 3, 4])
})

test('where there are too many, the sample has none, all, each alone, all but each, each prefix, and random ones', () => {
  const many = plan(
    512 * 8,
    [0, 1, 2, 3, 4, 5, 6, 7].map((sector) => write(sector, 1)),
  )
  const names = [...namesAt(many, { exhaustive: 255, samples: 5 })]
  expect(names).toHaveLength(2 + 3 * 8 + 3 * 8 + 5)
  const states = names.map((name) => built(many, name))
  for (const state of ['99999999', '11111111', '99919999', '11101111'.replace('0', '9'), '11199999']) {
    expect(states).toContain(state)
  }
  expect([...namesAt(many, { exhaustive: 256 })]).toHaveLength(256)
  // Requests are few and sectors are many: each has a limit of its own.
  expect([...namesAt(many, { exhaustive: 0, samples: 0, each: 2 })]).toHaveLength(2 + 3 * 8 + 3 * 2)
  expect([...namesAt(many, { exhaustive: 0, samples: 0, eachRequest: 4 })]).toHaveLength(2 + 3 * 4 + 3 * 8)
})

test('a random state is brought back by the seed and its number', () => {
  const of = (seed: number) =>
    plan(
      512 * 30,
      Array.from({ length: 30 }, (_, sector) => write(sector, 1)),
      seed,
    )
  expect(built(of(3), 'r5')).toBe(built(of(3), 'r5'))
  expect(built(of(3), 'r5')).not.toBe(built(of(4), 'r5'))
})

test('zeroes behind the end: the file may have become longer or not', () => {
  const longer = plan(512, [{ kind: 'zero', disk: 0, offset: 512, bytes: 1024 }])
  expect([...namesAt(longer, {})].map((name) => built(longer, name))).toEqual(['9', '900'])
})

test('a file does not get longer than what was written', () => {
  const disk = new ScratchDisk(filled(9, 512))
  const part = plan(512, [{ kind: 'write', disk: 0, offset: 512, data: filled(1, 100) }])
  buildState(part, 'x1', [disk])
  expect(disk.length).toBe(612)
})

test('other names are refused', () => {
  const one = plan(512, [write(0, 1)])
  for (const name of ['', 'y1', 'x', 'w', 'none1x']) {
    expect(() => built(one, name)).toThrow(`'${name}' names no crash state`)
  }
  expect(() => built(one, 'x2')).toThrow("'x2' names no crash state")
  expect(() => built(one, 's1.0')).toThrow('there is no sector 1 with outcome 0 to choose')
})
