/** Proves verification, dumps and reports of reads. Against the reference: the contract tests of apps/qemu-io-cli. */

import { expect, test } from 'vitest'
import { bench, report } from '../helpers/session.ts'

test('bytes are verified as a whole or in a window', async () => {
  const { run } = await bench()
  await run('write -q -P 1 512 512')
  expect(await run('read -P 1 512 512')).toBe(report('read', 512, 512, '512 bytes'))
  const wrong = `Pattern verification failed at offset 0, 1024 bytes\n${report('read', 1024, 0, '1 KiB')}failed`
  expect(await run('read -P 1 0 1k')).toBe(wrong)
  expect(await run('read -q -P 1 -s 512 0 1k')).toBe('')
  expect(await run('read -q -P 1 -s 512 -l 10 0 4k')).toBe('')
  expect(await run('read -q -P 1 -s 513 -l 512 0 4k')).toBe(
    'Pattern verification failed at offset 513, 512 bytes\nfailed',
  )
  expect(await run('read -P 1 -s 513 -l 512 0 1k')).toBe('pattern verification range exceeds end of read data\nfailed')
  expect(await run('read -P 1 -s 2k 0 1k')).toBe('pattern verification range exceeds end of read data\nfailed')
  expect(await run('read -s 0 0 1k')).toContain('read [-abCqv]')
})

test('vectors are filled and verified as one', async () => {
  const { run } = await bench()
  await run('write -q -P 0x41 0 3')
  expect(await run('readv -v 0 1 4')).toBe(`00000000:  41 41 41 00 00  AAA..\n${report('read', 5, 0, '5 bytes')}`)
  expect(await run('readv -q -P 0x41 0 1 2')).toBe('')
  expect(await run('readv 64k 1')).toBe('readv failed: Input/output error\nfailed')
})

test('quiet reads show nothing, machine state needs who keeps it', async () => {
  const { run } = await bench()
  expect(await run('read -qv 0 16')).toBe('')
  expect(await run('read -b 0 512')).toBe('read failed: Operation not supported\nfailed')
  expect(await run('read -b 1 512')).toBe("1 is not a sector-aligned value for 'offset'\nfailed")
})
