/** Proves that each claim is held against its limit, at the limit and one above it. */

import type { HeaderClaims } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { judgeClaims } from '../../src/inspect/judge-claims.ts'
import { inspectLimitsDefault } from '../../src/inspect/verdict.ts'

const nothing: HeaderClaims = {
  virtualSize: 0n,
  names: [],
  tables: [],
  snapshots: 0,
  unknownFeatures: [],
  problems: [],
  memory: 0n,
}
const limits = { ...inspectLimitsDefault, maxVirtualSize: 1000, maxMemory: 4000, maxSnapshots: 3 }

function reasons(claims: Partial<HeaderClaims>) {
  return judgeClaims({ ...nothing, ...claims }, { fileBytes: 5000, limits })
}

test('at the limits nothing is wrong', () => {
  const tables = [{ name: 'map', offset: 0n, bytes: 900n, held: true }]
  expect(reasons({ virtualSize: 1000n, snapshots: 3, memory: 400n, tables })).toEqual([])
})

test.each<[string, Partial<HeaderClaims>, string]>([
  ['virtual-size', { virtualSize: 1001n }, 'virtual size 1001 is more than 1000 bytes'],
  ['snapshots', { snapshots: 4 }, '4 snapshots, more than 3'],
  ['encrypted', { encryption: 'luks' }, 'encrypted (luks): what it holds cannot be judged'],
  ['unknown-feature', { unknownFeatures: ['magic\u0007'] }, 'unknown feature: magic\\u{7}'],
  ['invalid', { problems: ['no L1 table'] }, 'no L1 table'],
  ['memory', { memory: 4001n }, 'opening it takes up to 4001 bytes of memory, more than 4000'],
  ['extent', { names: [{ role: 'extent', filename: 'x' }] }, "names an extent: 'x'"],
])('%s', (code, claims, message) => expect(reasons(claims)).toEqual([{ code, message }]))

test('tables: where they are, and what they take', () => {
  const far = { name: 'list', offset: 1n << 40n, bytes: 8n, held: false }
  expect(reasons({ tables: [far] })).toEqual([
    { code: 'outside-file', message: 'list of 8 bytes at 1099511627776 is outside the file of 5000 bytes' },
  ])
  const large = { name: 'map', offset: 0n, bytes: 1001n, held: true }
  expect(reasons({ tables: [large] }).map(({ code }) => code)).toEqual(['memory'])
  expect(reasons({ tables: [{ ...large, held: false }] })).toEqual([])
})
