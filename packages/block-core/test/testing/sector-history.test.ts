// What was flushed must be there, what was written since may be there, and nothing else.
import { expect, test } from 'vitest'
import { filled } from '../../src/testing/patterns.ts'
import { SectorHistory } from '../../src/testing/sector-history.ts'

const disk = (...values: number[]): Uint8Array => Uint8Array.from(values.flatMap((value) => [...filled(value, 512)]))

function history(): SectorHistory {
  const made = new SectorHistory(disk(9, 9))
  made.change(0, 1024, 1, 0)
  made.flushed(1)
  made.change(512, 512, 2, 1)
  return made
}

test('before the flush the old content or the new one', () => {
  for (const content of [disk(9, 9), disk(1, 9), disk(1, 1)]) history().verify(content, 0, 'cut')
  expect(() => history().verify(disk(9, 2), 0, 'cut')).toThrow('cut: sector 1 holds 2, expected 9 or 1')
})

test('after the flush only what it covered, or something newer', () => {
  for (const content of [disk(1, 1), disk(1, 2)]) history().verify(content, 1, 'cut')
  expect(() => history().verify(disk(9, 1), 1, 'cut')).toThrow('cut: sector 0 holds 9, expected 1')
  expect(() => history().verify(disk(1, 9), 1, 'cut')).toThrow('cut: sector 1 holds 9, expected 1 or 2')
})

test('a sector is never a mixture', () => {
  const torn = disk(1, 1)
  torn.fill(2, 600, 700)
  expect(() => history().verify(torn, 1, 'cut')).toThrow('cut: sector 1 is a mixture of two contents')
})
