/** Proves names, limits and permissions as options, with the reference's order of checks. */

import { describe, expect, test } from 'vitest'
import { type BlkdebugOptions, checkLimits, hasOnlyConfig, parseBlkdebugName, permissionMask } from '../src/options.ts'

describe('file names', () => {
  test.each([
    ['blkdebug::i.q', { 'x-image': 'i.q' }],
    ['blkdebug:c:i.q', { config: 'c', 'x-image': 'i.q' }],
    ['blkdebug:/d/c:file:x:y', { config: '/d/c', 'x-image': 'file:x:y' }],
    ['blkdebug::blkdebug:c:i.q', { 'x-image': 'blkdebug:c:i.q' }],
    ['blkdebug:c:', { config: 'c', 'x-image': '' }],
    ['i.q', { 'x-image': 'i.q' }],
  ])('%s', (name, options) => expect(Object.fromEntries(parseBlkdebugName(name))).toEqual(options))

  test('one colon is not enough', () => {
    expect(() => parseBlkdebugName('blkdebug:x')).toThrow('blkdebug requires both config file and image path')
  })

  test('only a node without further options has a plain name', () => {
    expect(hasOnlyConfig({ config: 'c', takeChildPerms: ['write'] })).toBe(true)
    expect(hasOnlyConfig({ align: 0 })).toBe(false)
    expect(hasOnlyConfig({ injectError: [] })).toBe(false)
  })
})

describe('limits', () => {
  test('absent and 0 change nothing', () => {
    const nothing = {
      requestAlignment: 0,
      maxTransfer: 0,
      zeroAlignment: 0,
      maxZeroes: 0,
      discardAlignment: 0,
      maxDiscard: 0,
    }
    expect(checkLimits({}, 1)).toEqual(nothing)
    expect(checkLimits({ align: 0, optDiscard: 0 }, 1)).toEqual(nothing)
    expect(checkLimits({ maxTransfer: 100 }, 1)).toMatchObject({ maxTransfer: 100 })
    expect(checkLimits({ align: 1024, maxTransfer: 4096 }, 1)).toMatchObject({
      requestAlignment: 1024,
      maxTransfer: 4096,
    })
  })

  // As observed on a stack of two: what the lower one cannot take apart, the upper one need not promise.
  test('the alignment of the image counts as well', () => {
    expect(checkLimits({ maxTransfer: 8192 }, 4096)).toMatchObject({ requestAlignment: 0, maxTransfer: 8192 })
    const message = (options: BlkdebugOptions) => () => checkLimits(options, 4096)
    expect(message({ align: 512, maxTransfer: 512 })).toThrow('Cannot meet constraints with max-transfer 512')
    expect(message({ optDiscard: 512 })).toThrow('Cannot meet constraints with opt-discard 512')
  })

  test.each<[BlkdebugOptions, string]>([
    [{ align: 3 }, 'align 3'],
    [{ align: 2147483648 }, 'align 2147483648'],
    [{ align: 3, maxTransfer: 5 }, 'align 3'],
    [{ align: 1024, maxTransfer: 100, optWriteZero: 3 }, 'max-transfer 100'],
    [{ maxTransfer: 2147483647 }, 'max-transfer 2147483647'],
    [{ align: 2, optWriteZero: 3, maxWriteZero: 1 }, 'opt-write-zero 3'],
    [{ optWriteZero: 1024, maxWriteZero: 512, optDiscard: 2n ** 40n }, 'max-write-zero 512'],
    [{ align: 4, optDiscard: 5, maxDiscard: 3 }, 'opt-discard 5'],
    [{ optDiscard: 3, maxDiscard: 100 }, 'max-discard 100'],
  ])('%o', (options, words) => {
    expect(() => checkLimits(options, 1)).toThrow(
      expect.objectContaining({ code: 'EINVAL', message: `Cannot meet constraints with ${words}` }),
    )
  })
})

test('permissions', () => {
  expect(permissionMask(undefined)).toBe(0)
  expect(permissionMask(['consistent-read', 'write', 'write-unchanged', 'resize'])).toBe(15)
  expect(() => permissionMask(['write', 'foo'])).toThrow("Parameter 'null' does not accept value 'foo'")
})
