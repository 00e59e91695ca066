/** Proves that background requests return at once, are told when somebody waits, and change no exit status. */

import { expect, test } from 'vitest'
import { bench, report } from '../helpers/session.ts'

test('begun now, told later', async () => {
  const { run } = await bench()
  expect(await run('aio_write -P 3 0 512')).toBe('')
  expect(await run('length')).toBe('64 KiB\n')
  expect(await run('aio_flush')).toBe(report('wrote', 512, 0, '512 bytes'))
  expect(await run('aio_flush')).toBe('')
  await run('aio_read -v 0 2 2')
  expect(await run('aio_flush')).toBe(`00000000:  03 03 03 03  ....\n${report('read', 4, 0, '4 bytes')}`)
})

test('a mismatch or an error is told, and is no failure', async () => {
  const { run } = await bench()
  expect(await run('aio_read -q -P 1 0 512')).toBe('')
  expect(await run('aio_flush')).toBe('Pattern verification failed at offset 0, 512 bytes\n')
  await run('aio_read 64k 1')
  await run('aio_write 64k 1')
  await run('aio_write -z 64k 1')
  expect((await run('aio_flush')).split('\n').sort()).toEqual([
    '',
    'aio_write failed: Input/output error',
    'aio_write failed: Input/output error',
    'readv failed: Input/output error',
  ])
})

test('what is wrong is told at once', async () => {
  const { run } = await bench()
  expect(await run('aio_write -z 0 1 2')).toBe('-z supports only a single length parameter\nfailed')
  expect(await run('aio_write -u 0 1')).toBe('-u requires -z to be specified\nfailed')
  expect(await run('aio_read -i 0 1')).toBe('injecting invalid read request\n')
  expect(await run('aio_write -iZ 0 1')).toBe('injecting invalid write request\n')
  expect(await run('aio_write -P 0')).toContain('aio_write [-Cfiquz]')
})
