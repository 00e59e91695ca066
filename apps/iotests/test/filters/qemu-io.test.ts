// Only a well-formed timing is hidden: the amount stays exact, and a malformed line stays visible.
import { expect, test } from 'vitest'
import { filterQemuIo } from '../../src/filters/qemu-io.ts'

const hidden = 'X ops; XX:XX:XX.X (XXX YYY/sec and XXX ops/sec)'

test.each([
  ['64 KiB, 1 ops; 00.01 sec (6.185 MiB/sec and 98.9550 ops/sec)', `64 KiB, ${hidden}`],
  ['1.500 KiB, 1 ops; 0:01:02.03 (24.774 bytes/sec and 0.0161 ops/sec)', `1.500 KiB, ${hidden}`],
  ['0 bytes, 1 ops; 00.00 sec (inf EiB/sec and inf ops/sec)', `0 bytes, ${hidden}`],
  ['qemu-io> 64 KiB, 1 ops; 00.00 sec (1 GiB/sec and 2.0000 ops/sec)', `64 KiB, ${hidden}`],
])('%s', (line, filtered) => {
  expect(filterQemuIo(line)).toBe(filtered)
})

test.each(['64 KiB, 1 ops; soon (6.185 MiB/sec and 98.9550 ops/sec)', '64 KiB, 1 ops; 00.01 sec (6.185 ZiB/sec)'])(
  'not well-formed: %s',
  (line) => {
    expect(filterQemuIo(line)).toBe(line)
  },
)
