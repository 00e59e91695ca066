/** Proves the way from a line to its command: names, what has to be open, and the permission to write. */

import { Permissions } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { bench, emptyBench } from './helpers/session.ts'

test('an empty line succeeds, an unknown command fails', async () => {
  const { run } = emptyBench()
  expect([await run(''), await run('   ')]).toEqual(['', ''])
  expect(await run('foo 1')).toBe('command "foo" not found\nfailed')
  expect(await run('read\t0 1')).toBe('command "read\t0" not found\nfailed')
})

test('an open file comes before the count of words', async () => {
  const { run } = emptyBench()
  expect(await run('read')).toBe("no file open, try 'help open'\nfailed")
  expect(await run('quit 1 2')).toBe('')
})

test('the permission to write is asked for by those that write, and before their options', async () => {
  const { run, backend } = await bench({ readOnly: true })
  expect(await run('write -Z 0 1')).toBe('qemu-io: Block node is read-only\nfailed')
  expect(await run('write')).toBe('bad argument count 0 to write, expected at least 2 arguments\nfailed')
  expect(await run('read -q 0 512')).toBe('')
  expect(backend.permissions.taken & Permissions.write).toBe(0)
})

test('a permission that was given back is taken again', async () => {
  const { run, backend } = await bench()
  const { taken, shared } = backend.permissions
  backend.setPermissions({ taken: taken & ~Permissions.write, shared })
  expect(await run('write -q 0 512')).toBe('')
  expect(backend.permissions.taken).toBe(taken)
})
