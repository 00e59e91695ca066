/** Proves when ends of requests are told: while somebody waits, in order, and never between two commands. */

import { BlockError } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { Outstanding } from '../src/outstanding.ts'

/** A request that ends when it is told to. */
function request(): { run: () => Promise<void>; end: () => void; fail: (error: unknown) => void } {
  let [end, fail]: [() => void, (error: unknown) => void] = [() => {}, () => {}]
  const promise = new Promise<void>((resolve, reject) => {
    end = resolve
    fail = reject
  })
  return { run: () => promise, end, fail }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0))

test('nobody is told between commands; who waits is told at once, in the order of the ends', async () => {
  const outstanding = new Outstanding()
  const told: string[] = []
  const [first, second, third] = [request(), request(), request()]
  for (const [name, { run }] of Object.entries({ first, second, third })) {
    outstanding.begin(run, (failure) => told.push(failure === undefined ? name : `${name} ${failure.code}`))
  }
  second.end()
  await settle()
  expect([told, outstanding.count]).toEqual([[], 2])
  const work = request()
  const waiting = outstanding.during(work.run)
  expect(told).toEqual(['second'])
  first.fail(BlockError.fromErrno('EIO'))
  await settle()
  expect(told).toEqual(['second', 'first EIO'])
  work.end()
  await waiting
  third.end()
  await settle()
  expect(told).toHaveLength(2)
  await outstanding.drain()
  expect(told).toEqual(['second', 'first EIO', 'third'])
})

test('what ended while nobody waited is told once the work has begun, the last one first', async () => {
  const outstanding = new Outstanding()
  const told: string[] = []
  for (const name of ['first', 'second'])
    outstanding.begin(
      () => Promise.resolve(),
      () => told.push(name),
    )
  await settle()
  await outstanding.during(() => Promise.resolve(told.push('work')))
  expect(told).toEqual(['work', 'second', 'first'])
})

test('draining waits for all', async () => {
  const outstanding = new Outstanding()
  const slow = request()
  let isTold = false
  outstanding.begin(slow.run, () => {
    isTold = true
  })
  const drained = outstanding.drain()
  await settle()
  expect(isTold).toBe(false)
  slow.end()
  await drained
  expect([isTold, outstanding.count]).toEqual([true, 0])
})

test('a bug is not swallowed', async () => {
  const outstanding = new Outstanding()
  outstanding.begin(
    () => Promise.reject(new TypeError('bug')),
    () => {},
  )
  await expect(outstanding.drain()).rejects.toThrow('bug')
})
