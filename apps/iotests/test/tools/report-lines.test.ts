// Amounts, times and rates have the reference's form in every magnitude.
import { expect, test } from 'vitest'
import { requestText, sizeText } from '../../src/tools/report-lines.ts'

test.each([
  [0, '0 bytes'],
  [1, '1 bytes'],
  [512, '512 bytes'],
  [344.601456, '344.601456 bytes'],
  [1025, '1.001 KiB'],
  [1536, '1.500 KiB'],
  [65536, '64 KiB'],
  [1000000, '976.562 KiB'],
  [2 ** 40, '1 TiB'],
  [2 ** 60 * 2048, '2048 EiB'],
  [Number.POSITIVE_INFINITY, 'inf EiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text)
})

test('a request below a second', () => {
  expect(requestText({ verb: 'wrote', offset: 512, bytes: 65536, seconds: 0.0125 })).toBe(
    'wrote 65536/65536 bytes at offset 512\n64 KiB, 1 ops; 00.01 sec (5 MiB/sec and 80.0000 ops/sec)\n',
  )
})

test('a request of more than an hour', () => {
  expect(requestText({ verb: 'read', offset: 0, bytes: 3661.5, seconds: 3661.5 })).toContain(' 1:01:01.50 (1 bytes/sec')
})

test('no time at all', () => {
  expect(requestText({ verb: 'discard', offset: 0, bytes: 512, seconds: 0 })).toContain('(inf EiB/sec and inf ops/sec)')
})
