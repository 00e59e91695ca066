/** The lock is exclusive, first come first served, and survives tasks that fail. */

import { expect, test } from 'vitest'
import { AsyncMutex } from '../../src/util/async-mutex.ts'

test('tasks never overlap and run in the order in which they asked', async () => {
  const mutex = new AsyncMutex()
  const log: string[] = []
  const task = (name: string, turns: number) => async () => {
    log.push(`${name} in`)
    for (let i = 0; i < turns; i++) await Promise.resolve()
    log.push(`${name} out`)
    return name
  }
  const results = await Promise.all([mutex.run(task('a', 5)), mutex.run(task('b', 1)), mutex.run(task('c', 0))])
  expect(results).toEqual(['a', 'b', 'c'])
  expect(log).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
  expect(mutex.locked).toBe(false)
})

// Between release and the waiter's turn a newcomer may ask: it must queue up behind.
test('a newcomer cannot overtake one who waits', async () => {
  const mutex = new AsyncMutex()
  const log: string[] = []
  const release = await mutex.lock()
  const waiter = mutex.run(() => log.push('waiter'))
  release()
  const newcomer = mutex.run(() => log.push('newcomer'))
  await Promise.all([waiter, newcomer])
  expect(log).toEqual(['waiter', 'newcomer'])
})

test('a task that fails releases the lock', async () => {
  const mutex = new AsyncMutex()
  await expect(mutex.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await mutex.run(() => 1)).toBe(1)
})

test('releasing twice does not let two in', async () => {
  const mutex = new AsyncMutex()
  const release = await mutex.lock()
  const second = mutex.lock()
  release()
  release()
  await second
  expect(mutex.locked).toBe(true)
})
