/** Proves the commands on the disk as a whole. */

import { expect, test } from 'vitest'
import { bench, report } from '../helpers/session.ts'

test('length, discard, flush, truncate', async () => {
  const { run, backend, store } = await bench()
  expect(await run('length')).toBe('64 KiB\n')
  expect(await run('discard 0 4k')).toBe(report('discard', 4096, 0, '4 KiB'))
  expect(await run('discard 64k 1')).toBe('discard failed: Input/output error\nfailed')
  expect(await run('flush')).toBe('')
  expect(await run('truncate 128k')).toBe('')
  expect([backend.length, await run('length')]).toEqual([131072, '128 KiB\n'])
  expect(store.bytes().length).toBe(131072)
})

test.each([
  ['truncate -m foo 1M', "qemu-io: Invalid preallocation mode 'foo'\nfailed"],
  ['truncate -m off x', 'Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- -m\nfailed'],
  ['truncate -m off', 'truncate [-m prealloc_mode] off -- truncates the current file at the given offset\nfailed'],
])('%s', async (line, text) => {
  const { run } = await bench()
  expect(await run(line)).toBe(text)
})

test('info fails where the format has nothing to say', async () => {
  const { run } = await bench()
  expect(await run('info')).toMatch(/^format name: .*\ncluster size: 0 bytes\nvm state offset: 0 bytes\n$/)
})

test('a flush that fails says nothing', async () => {
  const { run, backend } = await bench()
  await backend.close()
  expect(await run('flush')).toBe('failed')
})
