/** Unknown and unsupported features are refused by name, in the reference's words. */

import { describe, expect, test } from 'vitest'
import {
  decodeFeatureNames,
  encodeFeatureNames,
  featureWordBytes,
  hasFeature,
  incompatible,
  knownFeatureNames,
  refuseUnknownFeatures,
  unsupportedForNow,
  withFeature,
  withoutFeature,
} from '../../src/format/features.ts'

describe('refuseUnknownFeatures', () => {
  const names = [
    { set: 0, bit: 5, name: 'my feature' },
    { set: 1, bit: 6, name: 'not this set' },
    { set: 0, bit: 40, name: 'other' },
    { set: 0, bit: 200, name: 'no such bit' },
  ]

  test('known bits pass', () => {
    expect(() => refuseUnknownFeatures({ high: 0, low: 0b11111 }, names)).not.toThrow()
  })

  test.each([
    [{ high: 0x100, low: 0x20 }, 'my feature, other'],
    [{ high: 0, low: 0xa0 }, 'my feature, Unknown incompatible feature: 80'],
    [{ high: 0x80000000, low: 0 }, 'Unknown incompatible feature: 8000000000000000'],
  ])('%o', (word, list) => {
    expect(() => refuseUnknownFeatures(word, names)).toThrow(
      expect.objectContaining({ code: 'ENOTSUP', message: `Unsupported qcow2 feature(s): ${list}` }),
    )
  })
})

test('the feature name table survives a round trip', () => {
  expect(encodeFeatureNames().length).toBe(384)
  expect(decodeFeatureNames(encodeFeatureNames())).toEqual(knownFeatureNames)
})

test('a row without a name ends the table', () => {
  const table = encodeFeatureNames()
  table[48 + 2] = 0
  expect(decodeFeatureNames(table)).toEqual(knownFeatureNames.slice(0, 1))
})

describe('unsupportedForNow', () => {
  test.each([
    [1, 'AES encryption'],
    [2, 'LUKS encryption'],
  ])('crypt method %i', (cryptMethod, name) => {
    expect(() => unsupportedForNow({ cryptMethod })).toThrow(
      `qcow2 images with ${name} are not supported by this version of Blocklayer`,
    )
  })

  test('an encryption method that does not exist', () => {
    expect(() => unsupportedForNow({ cryptMethod: 3 })).toThrow('Unsupported encryption method 3')
  })

  test('none is no reason to refuse', () => {
    expect(() => unsupportedForNow({ cryptMethod: 0 })).not.toThrow()
  })
})

test('bits are set and cleared without touching others', () => {
  const word = withFeature({ high: 5, low: 0x80000000 }, incompatible.dirty)
  expect(word).toEqual({ high: 5, low: 0x80000001 })
  expect(hasFeature(word, incompatible.dirty)).toBe(true)
  expect(withoutFeature(word, incompatible.dirty)).toEqual({ high: 5, low: 0x80000000 })
  expect([...featureWordBytes(word)]).toEqual([0, 0, 0, 5, 0x80, 0, 0, 1])
})
