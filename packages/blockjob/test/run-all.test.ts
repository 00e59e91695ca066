/** Proves that cleaning up goes on after a failure and loses none. */
import { BlockError } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { runAll } from '../src/run-all.ts'
import { failureOf } from './helpers/test-job.ts'

test('all steps run, and the first failure is thrown', async () => {
  const ran: number[] = []
  const failure = await failureOf(() =>
    runAll([
      () => ran.push(1),
      () => {
        throw new BlockError('EIO', 'second', { hint: 'hint' })
      },
      async () => {
        throw new BlockError('ENOSPC', 'third')
      },
      () => ran.push(4),
    ]),
  )
  expect(ran).toEqual([1, 4])
  expect(failure).toMatchObject({ code: 'EIO', message: 'second', hint: 'hint' })
  expect((failure as Error).cause).toMatchObject({ errors: [{ message: 'second' }, { message: 'third' }] })
})

test('a failure that was there before comes first, as it is', async () => {
  const first = new BlockError('EPERM', 'first')
  const ran: number[] = []
  expect(await failureOf(() => runAll([() => ran.push(1)], first))).toBe(first)
  expect(ran).toEqual([1])
})

test('a failure of no kind of ours is thrown as it is', async () => {
  const bug = new TypeError('bug')
  const steps = [() => Promise.reject(bug), () => Promise.reject(new BlockError('EIO', 'later'))]
  expect(await failureOf(() => runAll(steps))).toBe(bug)
})

test('without a failure nothing is thrown', async () => {
  expect(await failureOf(() => runAll([async () => {}, () => 1]))).toBeUndefined()
})
