/** Proves what options are refused for which image, in the reference's words and order, and what steps the others come to. */

import { describe, expect, test } from 'vitest'
import { planAmend, type Qcow2AmendOptions } from '../../../src/features/amend/options.ts'
import { qcow2CreateSchema, type Qcow2CreateOptions } from '../../../src/features/create/options.ts'
import { qcow2AmendSchema } from '../../../src/features/amend/options.ts'
import { encodeText } from '../../../src/format/bytes.ts'
import { incompatible } from '../../../src/format/features.ts'
import { noExtensions } from '../../../src/format/header-extension.ts'
import { readHeader } from '../../../src/open/read-header.ts'
import { MiB, newImage } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { failureOf } from '../../helpers/open-on.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from '../../helpers/reference.ts'
import { plainSnapshot } from '../../helpers/snapshots.ts'

async function subject(options: Qcow2CreateOptions = {}) {
  const { header } = await readHeader(new MemoryChild(await newImage(MiB, options)))
  return { header, extensions: noExtensions, snapshots: [], hasBitmaps: false }
}

const v2 = { compat: '0.10' }
const narrow = { refcountBits: 8 }
const level = 'compatibility level 1.1'
const lazyMessage = `EINVAL Lazy refcounts only supported with ${level} and above (use compat=1.1 or greater)`
const widthMessage = `EINVAL Refcount widths other than 16 bits require ${level} or above (use compat=1.1 or greater)`
const powerMessage = 'EINVAL Refcount width must be a power of two and may not exceed 64 bits'
const encryptMessage = "EINVAL Can't amend encryption options - encryption not present"
const rawMessage = 'EINVAL data-file-raw cannot be set on existing images'
const dataFileMessage = 'EINVAL data-file can only be set for images that use an external data file'
const backingMessage = 'EINVAL Cannot amend the backing file'
const sizeMessage = 'EINVAL The new size must be a multiple of 512'
const downgradeMessage = 'ENOTSUP compat=0.10 requires refcount_bits=16'

const refused: readonly [Qcow2CreateOptions, Qcow2AmendOptions, string][] = [
  [v2, { lazyRefcounts: true }, lazyMessage],
  [v2, { refcountBits: 8 }, widthMessage],
  [v2, { backingFile: 'x', refcountBits: 8 }, widthMessage],
  [v2, { backingFile: 'x', lazyRefcounts: true }, backingMessage],
  [v2, { dataFile: 'x', lazyRefcounts: true }, dataFileMessage],
  [v2, { compat: '1.1', size: 513 }, sizeMessage],
  [v2, { lazyRefcounts: true, size: MiB * 2 }, lazyMessage],
  [{}, { compat: 'foo' }, 'EINVAL Unknown compatibility level foo'],
  [{}, { compat: 'foo', refcountBits: 3 }, 'EINVAL Unknown compatibility level foo'],
  [{}, { compat: 'foo', encryptKeyslot: 1 }, encryptMessage],
  [{}, { compat: '' }, 'EINVAL Unknown compatibility level '],
  [{}, { encryptState: 'foo' }, encryptMessage],
  [{}, { refcountBits: 3 }, powerMessage],
  [{}, { refcountBits: 0 }, powerMessage],
  [{}, { refcountBits: 128 }, powerMessage],
  [{}, { refcountBits: 2n ** 64n - 1n }, powerMessage],
  [{}, { refcountBits: 3, dataFileRaw: true }, rawMessage],
  [{}, { dataFile: '' }, dataFileMessage],
  [{}, { dataFile: 'x', dataFileRaw: true }, dataFileMessage],
  [{}, { backingFile: '' }, backingMessage],
  [{}, { backingFormat: 'raw' }, backingMessage],
  [{}, { backingFile: 'x', size: 513 }, backingMessage],
  [{}, { compat: '0.10', lazyRefcounts: true }, lazyMessage],
  [{}, { compat: '0.10', refcountBits: 8 }, widthMessage],
  [narrow, { compat: '0.10' }, downgradeMessage],
  [narrow, { compat: '0.10', refcountBits: 8 }, downgradeMessage],
  [narrow, { compat: '0.10', backingFile: 'x' }, backingMessage],
  [narrow, { compat: '0.10', size: 513 }, sizeMessage],
  [narrow, { compat: '0.10', refcountBits: 16, lazyRefcounts: true }, lazyMessage],
]

test.each(refused)('an image with %o refuses %o', async (created, options, message) => {
  const image = await subject(created)
  expect(await failureOf(() => planAmend(options, image))).toBe(message)
})

// The reference reads the width's low 32 bits only and takes this for 16.
test('a width of 2^32 + 16', async () => {
  const image = await subject()
  expect(await failureOf(() => planAmend({ refcountBits: 2 ** 32 + 16 }, image))).toBe(powerMessage)
})

test('steps', async () => {
  const data = { dataFile: undefined, dropsRaw: false }
  const none = {
    upgrade: false,
    refcountOrder: undefined,
    lazyRefcounts: undefined,
    size: undefined,
    ...data,
    downgrade: false,
  }
  expect(planAmend({}, await subject())).toEqual(none)
  expect(planAmend({ compat: 'v3', refcountBits: 16, dataFileRaw: false }, await subject())).toEqual(none)
  expect(planAmend({ compat: '1.1', refcountBits: 64, lazyRefcounts: true, size: 512n }, await subject(v2))).toEqual({
    upgrade: true,
    refcountOrder: 6,
    lazyRefcounts: true,
    size: 512,
    ...data,
    downgrade: false,
  })
  expect(planAmend({ compat: 'v2', refcountBits: 16 }, await subject(narrow))).toEqual({
    ...none,
    refcountOrder: 4,
    downgrade: true,
  })
  // As the reference: 0 is no size at all, and an image that is lazy may be called so on its way down.
  expect(planAmend({ size: 0 }, await subject())).toEqual(none)
  const lazy = await subject({ lazyRefcounts: true })
  expect(planAmend({ compat: 'v2', lazyRefcounts: true }, lazy)).toEqual({
    ...none,
    lazyRefcounts: true,
    downgrade: true,
  })
  const image = await subject()
  const extensions = { ...noExtensions, backingFile: encodeText('base'), backingFormat: encodeText('raw') }
  expect(planAmend({ backingFile: 'base', backingFormat: 'raw' }, { ...image, extensions })).toEqual(none)
  for (const half of [{ backingFile: 'base' }, { backingFormat: 'raw' }]) {
    expect(() => planAmend(half, { ...image, extensions })).toThrow('Cannot amend the backing file')
  }
})

describe('what version 2 cannot say', () => {
  const refusal = async (change: object, options: Qcow2AmendOptions = {}) => {
    const image = { ...(await subject()), ...change }
    return failureOf(() => planAmend({ compat: '0.10', ...options }, image))
  }
  const withFeatures = async (low: number) => {
    const { header } = await subject()
    return { header: { ...header, incompatibleFeatures: { high: 0, low } } }
  }

  test('features', async () => {
    expect(await refusal(await withFeatures(incompatible.externalDataFile))).toBe(
      'ENOTSUP Cannot downgrade an image with a data file',
    )
    expect(await refusal(await withFeatures(incompatible.extendedL2 | incompatible.dirty))).toBe(
      'ENOTSUP Cannot downgrade an image with incompatible features 0x10 set',
    )
    expect(await refusal({ hasBitmaps: true })).toBe('ENOTSUP Cannot downgrade an image with persistent bitmaps')
  })

  test('snapshots of another size, and with a long machine state', async () => {
    const message = 'ENOTSUP Internal snapshots prevent downgrade of image'
    const other = { snapshots: [{ ...plainSnapshot, diskSize: 2 * MiB }] }
    expect(await refusal(other)).toBe(message)
    expect(await refusal({ snapshots: [{ ...plainSnapshot, diskSize: MiB }] }, { size: 2 * MiB })).toBe(message)
    expect(await refusal({ snapshots: [{ ...plainSnapshot, diskSize: MiB, vmStateSize: 2 ** 32 }] })).toBe(message)
    const image = { ...(await subject()), ...other }
    expect(planAmend({ compat: '0.10', size: 2 * MiB }, image).downgrade).toBe(true)
  })
})

describeWithReference('the reference', () => {
  test('has the same options', () => {
    const { out } = qemuImg('amend', '-f', 'qcow2', '-o', 'help')
    const names = [...out.matchAll(/^ {2}([^=]+)=/gm)].map(([, name]) => name)
    expect(
      Object.values(qcow2AmendSchema)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(names.sort())
  })

  test('refuses in the same words', async () => {
    using folder = new TemporaryFolder()
    const image = folder.file('image.qcow2')
    const nameOf = (key: string): string => qcow2AmendSchema[key as keyof typeof qcow2AmendSchema].name
    for (const [created, options, message] of refused) {
      const text = Object.entries(options).map(([key, value]) => `${nameOf(key)}=${value === true ? 'on' : value}`)
      const creation = Object.entries(created).map(
        ([key, value]) => `${qcow2CreateSchema[key as keyof Qcow2CreateOptions].name}=${value}`,
      )
      const how = creation.length === 0 ? [] : ['-o', creation.join(',')]
      expect(qemuImg('create', '-f', 'qcow2', ...how, image, '1M').code).toBe(0)
      const said = qemuImg('amend', '-o', text.join(','), image)
      expect([text, said.err.split('\n')[0]]).toEqual([text, `qemu-img: ${message.slice(message.indexOf(' ') + 1)}`])
    }
  })
})
