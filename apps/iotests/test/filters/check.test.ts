// Findings stay, statistics go.
import { expect, test } from 'vitest'
import { filterCheck } from '../../src/filters/check.ts'

test('statistics and the image end go', () => {
  const text = `No errors were found on the image.
1/1024 = 0.10% allocated, 0.00% fragmented, 0.00% compressed clusters
Image end offset: 393216
`
  expect(filterCheck(text)).toBe('No errors were found on the image.\n')
})

test('findings stay', () => {
  const text = 'Leaked cluster 4 refcount=1 reference=0\n\n1 leaked clusters were found on the image.\n'
  expect(filterCheck(text)).toBe(text)
})
