/** Proves that what a host does not offer is refused by its errno. */

import { expect, test } from 'vitest'
import { requireHost } from '../src/host.ts'

test('what is there, and what is not', () => {
  expect(requireHost(5)).toBe(5)
  expect(() => requireHost(undefined)).toThrow('Operation not supported')
})
