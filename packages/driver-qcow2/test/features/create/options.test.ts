/** Creation options are judged in the reference's order and words; what is not done yet is refused by name. */

import type { CreateContext } from '@blocklayer/block-core/driver'
import { describe, expect, test } from 'vitest'
import { judgeCreateOptions, type Qcow2CreateOptions, qcow2CreateSchema } from '../../../src/features/create/options.ts'
import { MiB } from '../../helpers/disk.ts'
import { describeWithReference, qemuImg } from '../../helpers/reference.ts'

test('defaults', () => {
  expect(judgeCreateOptions({}, { backing: undefined })).toEqual({
    version: 3,
    clusterBits: 16,
    refcountOrder: 4,
    extendedL2: false,
    lazyRefcounts: false,
    preallocation: 'off',
    externalData: false,
    dataFileRaw: false,
    compressionType: 0,
  })
})

test('every option set', () => {
  const options = { compat: 'v3', clusterSize: 512, refcountBits: 64, lazyRefcounts: true, preallocation: 'full' }
  expect(judgeCreateOptions(options, { backing: undefined })).toEqual({
    version: 3,
    clusterBits: 9,
    refcountOrder: 6,
    extendedL2: false,
    lazyRefcounts: true,
    preallocation: 'full',
    externalData: false,
    dataFileRaw: false,
    compressionType: 0,
  })
})

describeWithReference('the schema', () => {
  test('has the names and texts of the reference', () => {
    const theirs = qemuImg('create', '-f', 'qcow2', '-o', 'help').out.split('\n')
    for (const { name, help } of Object.values(qcow2CreateSchema)) {
      expect(
        theirs.some((line) => line.startsWith(`  ${name}=<`) && line.endsWith(` - ${help}`)),
        name,
      ).toBe(true)
    }
    expect(theirs.filter((line) => line.startsWith('  '))).toHaveLength(Object.keys(qcow2CreateSchema).length)
  })
})

describe('refusals', () => {
  const backing = { filename: 'base', format: 'raw' }
  const v3 = '(use version=v3 or greater)'
  test.each<[string, Qcow2CreateOptions, CreateContext['backing']?]>([
    ["Parameter 'version' does not accept value '2'", { compat: '2', preallocation: 'foo' }],
    ["Parameter 'version' does not accept value 'toString'", { compat: 'toString' }],
    ["Parameter 'preallocation' does not accept value 'foo'", { preallocation: 'foo', compressionType: 'x' }],
    ["Parameter 'compression-type' does not accept value 'x'", { compressionType: 'x', clusterSize: 3 }],
    ["Parameter 'format' does not accept value 'foo'", { encryptFormat: 'foo', preallocation: 'foo' }],
    [
      "'encrypt.format' and its alias 'encryption' can't be used at the same time",
      { encryption: true, encryptFormat: 'luks' },
    ],
    [
      `Extended L2 entries are only supported with compatibility level 1.1 and above ${v3}`,
      { compat: '0.10', extendedL2: true, clusterSize: 512 },
    ],
    ['Cluster size must be a power of two between 512 and 2048k', { clusterSize: 123, lazyRefcounts: true }],
    ['Cluster size must be a power of two between 512 and 2048k', { clusterSize: 256 }],
    ['Cluster size must be a power of two between 512 and 2048k', { clusterSize: 4 * MiB }],
    ['Cluster size must be a power of two between 512 and 2048k', { clusterSize: 2n ** 63n }],
    ['Cluster size must be a power of two between 512 and 2048k', { clusterSize: 0 }],
    [
      'Extended L2 entries are only supported with cluster sizes of at least 16384 bytes',
      { extendedL2: true, clusterSize: 4096 },
    ],
    [
      'Backing file and preallocation can only be used at the same time if extended_l2 is on',
      { preallocation: 'metadata' },
      backing,
    ],
    ['Backing format cannot be used without backing file', { backingFormat: 'raw' }],
    [
      `Lazy refcounts only supported with compatibility level 1.1 and above ${v3}`,
      { compat: '0.10', lazyRefcounts: true, refcountBits: 3 },
    ],
    ['Refcount width must be a power of two and may not exceed 64 bits', { refcountBits: 3 }],
    ['Refcount width must be a power of two and may not exceed 64 bits', { refcountBits: 128 }],
    ['Refcount width must be a power of two and may not exceed 64 bits', { refcountBits: 0 }],
    [
      `Different refcount widths than 16 bits require compatibility level 1.1 or above ${v3}`,
      { compat: '0.10', refcountBits: 8 },
    ],
    ['data-file-raw requires data-file', { dataFileRaw: true }],
    ['Backing file and data-file-raw cannot be used at the same time', { dataFileRaw: true, dataFile: 'x' }, backing],
    [
      `External data files are only supported with compatibility level 1.1 and above ${v3}`,
      { dataFile: 'x', compat: '0.10' },
    ],
    [
      `Non-zlib compression type is only supported with compatibility level 1.1 and above ${v3}`,
      { compressionType: 'zstd', compat: '0.10' },
    ],
    ["Parameter 'encrypt.key-secret' is required for cipher", { encryption: true }],
    ["Parameter 'encrypt.format' is missing", { encryptKeySecret: 's', clusterSize: 5 }],
    ["Parameter 'encrypt.format' is missing", { encryption: false, encryptIterTime: 5 }],
    ["Parameter 'encrypt.cipher-alg' is unexpected", { encryption: true, encryptCipherAlg: 'x' }],
    ["Parameter 'encrypt.hash-alg' is unexpected", { encryptFormat: 'aes', encryptHashAlg: 'x' }],
    ["Parameter 'format' does not accept value 'x'", { encryptFormat: 'x', encryptHashAlg: 'x' }],
  ])('%s', (message, options, file) => {
    expect(() => judgeCreateOptions(options, { backing: file })).toThrow(
      expect.objectContaining({ code: 'EINVAL', message }),
    )
  })

  test('a backing format that nobody knows, before other choices', () => {
    const context = { backing: { filename: 'file', format: 'raw' }, isFormatName: (name: string) => name === 'raw' }
    const judge = (options: Qcow2CreateOptions) => () => judgeCreateOptions(options, context)
    expect(judge({ backingFormat: 'raw' })).not.toThrow()
    expect(judge({ backingFormat: 'x', preallocation: 'x' })).toThrow(
      "Parameter 'backing-fmt' does not accept value 'x'",
    )
    expect(judge({ backingFormat: 'x', compat: 'x' })).toThrow("Parameter 'version' does not accept value 'x'")
  })

  test.each<[string, Qcow2CreateOptions]>([['encryption', { encryptFormat: 'aes', encryptKeySecret: 's' }]])(
    'for now, %s',
    (name, options) => {
      const message = `Creating qcow2 images with ${name} is not supported by this version of Blocklayer`
      expect(() => judgeCreateOptions(options, { backing: undefined })).toThrow(
        expect.objectContaining({ code: 'ENOTSUP', message }),
      )
    },
  )
})
