/** Proves what reaches the host, and what is refused before. */

import { expect, test } from 'vitest'
import { bench, emptyBench } from '../helpers/session.ts'

test('signals and crashes', async () => {
  const calls: string[] = []
  const host = { abort: () => void calls.push('abort'), raise: (n: number) => void calls.push(`raise ${n}`) }
  const { run } = emptyBench({ host })
  expect(await run('sigraise 15')).toBe('')
  expect(await run('abort')).toBe('')
  expect(await run('sigraise 66')).toBe("signal argument '66' is too large to be a valid signal\nfailed")
  expect(await run('sigraise x')).toContain('Parsing error: non-numeric argument')
  expect(calls).toEqual(['raise 15', 'abort'])
})

test('a host without them', async () => {
  const { run } = emptyBench()
  expect(await run('abort')).toBe('qemu-io: Operation not supported\nfailed')
  expect(await run('sigraise 1')).toBe('qemu-io: Operation not supported\nfailed')
})

test('sleeping, while requests end', async () => {
  const { run } = await bench()
  await run('aio_write -q 0 512')
  await run('aio_read -v 0 1')
  expect(await run('sleep 1')).toContain('00000000:  ')
  expect(await run('sleep soon')).toBe('soon is not a valid number\nfailed')
})

test('quit ends the session', async () => {
  const { run, session } = emptyBench()
  expect([session.ended, await run('q'), session.ended]).toEqual([false, '', true])
})
