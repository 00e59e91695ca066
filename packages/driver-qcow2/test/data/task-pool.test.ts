/** Proves that tasks run side by side, eight at most, and that the first failure is the one that is told. */

import { expect, test } from 'vitest'
import { TaskPool } from '../../src/data/task-pool.ts'

test('eight at a time', async () => {
  const pool = new TaskPool()
  let running = 0
  let most = 0
  for (let task = 0; task < 30; task++) {
    await pool.start(async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 1))
      running--
    })
  }
  await pool.finish()
  expect([most, running]).toEqual([8, 0])
})

test('finishing waits for all and throws the first failure', async () => {
  const pool = new TaskPool()
  let ended = 0
  const task = (failure: string | undefined, delay: number) => async () => {
    await new Promise((resolve) => setTimeout(resolve, delay))
    ended++
    if (failure !== undefined) throw new Error(failure)
  }
  await pool.start(task('late', 20))
  await pool.start(task('early', 1))
  await pool.start(task(undefined, 30))
  expect(pool.failed).toBe(false)
  await expect(pool.finish()).rejects.toThrow('early')
  expect([pool.failed, ended]).toEqual([true, 3])
})
