/** Proves that the lock admits one at a time, in the order of asking, and survives failures. */

import { expect, test } from 'vitest'
import { MetadataLock } from '../../src/metadata/metadata-lock.ts'

test('a free lock is taken without waiting, and handed on in order', async () => {
  const lock = new MetadataLock()
  expect(lock.acquire()).toBeUndefined()
  const order: number[] = []
  const waiting = [1, 2, 3].map((number) =>
    lock.run(async () => {
      order.push(number)
      await Promise.resolve()
      order.push(-number)
    }),
  )
  await Promise.resolve()
  expect(order).toEqual([])
  lock.release()
  await Promise.all(waiting)
  expect(order).toEqual([1, -1, 2, -2, 3, -3])
  expect(lock.held).toBe(false)
})

test('a failure releases the lock', async () => {
  const lock = new MetadataLock()
  const broken = lock.run(() => {
    throw new Error('broken')
  })
  await expect(broken).rejects.toThrow('broken')
  expect(await lock.run(() => 7)).toBe(7)
})
