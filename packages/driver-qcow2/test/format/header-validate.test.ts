/** Headers are refused in the reference's order and words; a check tolerates what it could mend. */

import { describe, expect, test } from 'vitest'
import { decodeHeader } from '../../src/format/header.ts'
import { encryptionName, validateHeader } from '../../src/format/header-validate.ts'
import { plainHeaderBytes } from '../helpers/header-bytes.ts'

const normal = { readOnly: false, check: false, featureNames: [] }

function validated(change: (view: DataView) => void, options: Partial<typeof normal> = {}) {
  return validateHeader(decodeHeader(plainHeaderBytes(change)), { ...normal, ...options })
}

test('a sound header gives its geometry', () => {
  expect(validated(() => undefined).clusterSize).toBe(65536)
})

describe('refusals', () => {
  test.each<[string, string, (view: DataView) => void]>([
    ['ENOTSUP', 'qcow2: unknown compression type: 2', (view) => view.setUint8(104, 2)],
    [
      'EINVAL',
      'qcow2: Compression type incompatible feature bit must not be set',
      (view) => view.setUint32(76, 1 << 3),
    ],
    ['EINVAL', 'qcow2: Compression type incompatible feature bit must be set', (view) => view.setUint8(104, 1)],
    ['ENOTSUP', 'Unsupported qcow2 feature(s): Unknown incompatible feature: 20', (view) => view.setUint32(76, 1 << 5)],
    ['EACCES', 'qcow2: Image is corrupt; cannot be opened read/write', (view) => view.setUint32(76, 2)],
    [
      'EINVAL',
      'Unsupported subcluster size: 256',
      (view) => {
        view.setUint32(76, 1 << 4)
        view.setUint32(20, 13)
      },
    ],
    ['EINVAL', 'Reference count entry width too large; may not exceed 64 bits', (view) => view.setUint32(96, 7)],
    ['EINVAL', 'Image does not contain a reference count table', (view) => view.setUint32(56, 0)],
    ['EFBIG', 'Reference count table too large', (view) => view.setUint32(56, 129)],
    ['EINVAL', 'Reference count table offset invalid', (view) => view.setUint32(52, 0x10200)],
    ['EINVAL', 'Reference count table offset invalid', (view) => view.setUint32(48, 0x80000000)],
    ['EFBIG', 'Snapshot table too large', (view) => view.setUint32(60, 65537)],
    ['EINVAL', 'Snapshot table offset invalid', (view) => view.setUint32(68, 512)],
    ['EFBIG', 'Active L1 table too large', (view) => view.setUint32(36, 4194305)],
    ['EINVAL', 'Active L1 table offset invalid', (view) => view.setUint32(44, 0x30001)],
    ['EFBIG', 'Image is too big', (view) => view.setUint32(24, 0x10000000)],
    ['EINVAL', 'L1 table is too small', (view) => view.setUint32(36, 0)],
    // One byte more than the L1 table covers, although the size is rounded down afterwards.
    ['EINVAL', 'L1 table is too small', (view) => view.setUint32(28, 0x20000001)],
  ])('%s %s', (code, message, change) => {
    expect(() => validated(change)).toThrow(expect.objectContaining({ code, message }))
  })

  test('a table that ends where a signed offset ends', () => {
    const change = (view: DataView) => {
      view.setUint32(48, 0x7fffffff)
      view.setUint32(52, 0xffff0000)
    }
    expect(() => validated(change)).toThrow('Reference count table offset invalid')
  })
})

test('a check tolerates what it could mend', () => {
  const check = { check: true }
  validated((view) => view.setUint32(76, 2), check)
  validated((view) => view.setUint32(56, 0), check)
  validated((view) => view.setUint32(60, 65537), check)
})

test('a corrupt image may be read', () => {
  validated((view) => view.setUint32(76, 2), { readOnly: true })
})

test.each([
  [0, undefined],
  [1, 'aes'],
  [2, 'luks'],
])('encryption method %i', (method, name) => {
  expect(encryptionName(decodeHeader(plainHeaderBytes((view) => view.setUint32(32, method))))).toBe(name)
})
