/** Proves the report lines. The expected lines are the reference's. */

import { describe, expect, test } from 'vitest'
import { humanReport, machineReport, sizeText } from '../src/report.ts'

test.each([
  [0, '0 bytes'],
  [1, '1 bytes'],
  [512, '512 bytes'],
  [1023, '1023 bytes'],
  [1024, '1 KiB'],
  [1025, '1.001 KiB'],
  [1536, '1.500 KiB'],
  [1000000, '976.562 KiB'],
  [65536, '64 KiB'],
  [2 ** 40, '1 TiB'],
  [2 ** 62, '4 EiB'],
  [344.601456, '344.601456 bytes'],
  [0.000042, '0 bytes'],
])('%f bytes', (bytes, text) => expect(sizeText(bytes)).toBe(text))

describe('reports', () => {
  const request = { verb: 'wrote', offset: 4096, bytes: 65536, seconds: 0.010105 } as const

  test('for people', () => {
    expect(humanReport(request)).toBe(
      'wrote 65536/65536 bytes at offset 4096\n64 KiB, 1 ops; 00.01 sec (6.185 MiB/sec and 98.9609 ops/sec)\n',
    )
    expect(humanReport({ ...request, seconds: 3723.5 })).toContain('; 1:02:03.50 (')
  })

  test('for programs', () => {
    expect(machineReport(request)).toBe('65536,1,0:00:00.01,6485502.227,98.961\n')
  })

  test('no time at all', () => {
    expect(humanReport({ ...request, seconds: 0 })).toContain('00.00 sec (inf EiB/sec and inf ops/sec)')
    expect(machineReport({ ...request, bytes: 0, seconds: 0 })).toBe('0,1,0:00:00.00,-nan,inf\n')
  })
})
