// Each command line gets its own filter; commands without one pass unchanged.
import { expect, test } from 'vitest'
import { filterForCommand } from '../../src/filters/for-command.ts'

test('a subcommand decides', () => {
  expect(filterForCommand('qemu-img', ['check', 'a'])('Image end offset: 1\n')).toBe('')
  expect(filterForCommand('qemu-img', ['map', 'a'])('{ "offset": 5}')).toBe('{ "offset": OFFSET}')
  expect(filterForCommand('qemu-img', ['compare', 'a', 'b'])('Images are identical.\n')).toBe('Images are identical.\n')
})

test('qemu-io has one filter for all', () => {
  const line = '512 bytes, 1 ops; 00.00 sec (1 MiB/sec and 1.0000 ops/sec)'
  expect(filterForCommand('qemu-io', ['-c', 'read 0 512'])(line)).not.toContain('00.00 sec')
})
