/** Overlapping ranges are served in the order in which they were asked for, readers together, all others at once. */

import { expect, test } from 'vitest'
import { RangeLock } from '../../src/util/range-lock.ts'

/** Tasks that note when they begin, and end when they are told to. */
function tasks() {
  const log: string[] = []
  const ends = new Map<string, () => void>()
  const task = (name: string) => () => {
    log.push(name)
    return new Promise<void>((resolve) => ends.set(name, resolve))
  }
  const end = async (name: string) => {
    ends.get(name)?.()
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
  return { log, task, end }
}

test('ranges that only touch, and empty ones, do not wait', async () => {
  const lock = new RangeLock()
  const { log, task, end } = tasks()
  const all = [
    lock.run('exclusive', 0, 10, task('a')),
    lock.run('exclusive', 10, 10, task('b')),
    lock.run('exclusive', 5, 0, task('empty')),
  ]
  expect(log).toEqual(['a', 'b', 'empty'])
  expect(lock.size).toBe(3)
  for (const name of log) await end(name)
  await Promise.all(all)
  expect(lock.size).toBe(0)
})

test('readers share, writers wait for all before them', async () => {
  const lock = new RangeLock()
  const { log, task, end } = tasks()
  const all = [
    lock.run('shared', 0, 10, task('r1')),
    lock.run('shared', 5, 10, task('r2')),
    lock.run('exclusive', 8, 4, task('w1')),
    lock.run('shared', 9, 1, task('r3')),
    lock.run('exclusive', 100, 1, task('far')),
  ]
  expect(log).toEqual(['r1', 'r2', 'far'])
  await end('r1')
  expect(log).toEqual(['r1', 'r2', 'far'])
  await end('r2')
  expect(log).toEqual(['r1', 'r2', 'far', 'w1'])
  await end('w1')
  expect(log).toEqual(['r1', 'r2', 'far', 'w1', 'r3'])
  for (const name of ['r3', 'far']) await end(name)
  await Promise.all(all)
})

test('what fails lets go, and gives its error', async () => {
  const lock = new RangeLock()
  await expect(lock.run('exclusive', 0, 1, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await lock.run('exclusive', 0, 1, async () => 5)).toBe(5)
  expect(lock.size).toBe(0)
})
