// Where data lies in the file goes out of both output forms; everything else of a map stays.
import { expect, test } from 'vitest'
import { filterMap } from '../../src/filters/map.ts'

test('human output loses its third column', () => {
  const text = `Offset          Length          Mapped to       File
0               0x20000         0x50000         TEST_DIR/t
0x7ffd0000      0x30000         0               a file
`
  expect(filterMap(text)).toBe(`Offset          Length          File
0               0x20000         TEST_DIR/t
0x7ffd0000      0x30000         a file
`)
})

test('JSON output loses its offsets', () => {
  const text = `[{ "start": 0, "length": 512, "depth": 0, "present": true, "zero": false, "data": true, "offset": 327680},
{ "start": 512, "length": 512, "depth": 1, "present": false, "zero": true, "data": false}]
`
  expect(filterMap(text)).toBe(text.replace('327680', 'OFFSET'))
})

test('text without a table stays', () => {
  expect(filterMap('a 0x1 0x2 b\n')).toBe('a 0x1 0x2 b\n')
})
