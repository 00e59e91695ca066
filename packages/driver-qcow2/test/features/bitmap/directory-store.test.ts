/** A bitmap directory is read whole, or refused in the reference's words. */

import { describe, expect, test } from 'vitest'
import { loadBitmapDirectory } from '../../../src/features/bitmap/directory-store.ts'
import { decodeText, encodeText, viewOf, writeU64 } from '../../../src/format/bytes.ts'
import { makeGeometry } from '../../../src/format/geometry.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'

const geometry = makeGeometry({ clusterBits: 10, extendedL2: false, refcountOrder: 4 })

/** A directory of the bitmaps `b0` and `b1`. */
function directory(change: (view: DataView) => void = () => undefined): Uint8Array {
  const bytes = new Uint8Array(64)
  const view = viewOf(bytes)
  for (const [index, name] of ['b0', 'b1'].entries()) {
    const at = 32 * index
    writeU64(view, at, 0x1000 * (index + 1))
    view.setUint32(at + 8, 1)
    view.setUint32(at + 12, 2)
    view.setUint8(at + 16, 1)
    view.setUint8(at + 17, 16)
    view.setUint16(at + 18, 2)
    bytes.set(encodeText(name), at + 24)
  }
  change(view)
  return bytes
}

function load(bytes: Uint8Array, place: { count?: number; directorySize?: number } = {}) {
  const options = { file: new MemoryChild(bytes), geometry, size: 2 ** 20 }
  return loadBitmapDirectory(options, { count: 2, directorySize: 64, directoryOffset: 0, ...place })
}

test('a sound directory', async () => {
  const entries = await load(directory())
  expect(entries.map(({ name, tableOffset }) => [decodeText(name), tableOffset])).toEqual([
    ['b0', 0x1000],
    ['b1', 0x2000],
  ])
})

test('a bitmap in use may be too short', async () => {
  const change = (flags: number) =>
    directory((view) => {
      view.setUint8(17, 9)
      view.setUint32(12, flags)
      view.setUint32(8, 1)
    })
  const options = { file: new MemoryChild(change(1)), geometry, size: 2 ** 30 }
  const place = { count: 2, directorySize: 64, directoryOffset: 0 }
  await expect(loadBitmapDirectory({ ...options, size: 2 ** 29 }, place)).resolves.toHaveLength(2)
  const unused = new MemoryChild(change(0))
  await expect(loadBitmapDirectory({ ...options, file: unused }, place)).rejects.toThrow(
    "Bitmap 'b0' doesn't satisfy the constraints",
  )
})

describe('refusals', () => {
  test.each<[string, { count?: number; directorySize?: number }]>([
    ['Requested bitmap directory size is zero', { directorySize: 0 }],
    ['More bitmaps found than specified in header extension', { count: 1 }],
    ['Less bitmaps found than specified in header extension', { count: 3 }],
    ['Broken bitmap directory', { directorySize: 60 }],
    ['Broken bitmap directory', { directorySize: 20 }],
  ])('%s', async (message, place) => {
    await expect(load(directory(), place)).rejects.toMatchObject({ code: 'EINVAL', message })
  })

  test.each<[string, (view: DataView) => void]>([
    ['no table', (view) => view.setUint32(8, 0)],
    ['a table that is too large', (view) => view.setUint32(8, 0x8000001)],
    ['too much data', (view) => view.setUint32(8, 0x80001)],
    ['a table at the header', (view) => writeU64(view, 0, 0)],
    ['an unaligned table', (view) => writeU64(view, 0, 0x1001)],
    ['a granularity that is too small', (view) => view.setUint8(17, 8)],
    ['a granularity that is too large', (view) => view.setUint8(17, 32)],
    ['an unknown flag', (view) => view.setUint32(12, 4)],
    ['another type', (view) => view.setUint8(16, 2)],
  ])('%s', async (_what, change) => {
    await expect(load(directory(change))).rejects.toThrow("Bitmap 'b0' doesn't satisfy the constraints")
  })

  test('extra data', async () => {
    await expect(load(directory((view) => view.setUint32(20, 2)))).rejects.toThrow('Bitmap extra data is not supported')
  })

  test('one name for two', async () => {
    await expect(load(directory((view) => view.setUint8(57, 0x30)))).rejects.toThrow('Bitmap already exists: b0')
  })

  test('a directory that cannot be read', async () => {
    const file = new MemoryChild(directory())
    file.fail = () => 'EIO'
    const place = { count: 2, directorySize: 64, directoryOffset: 0 }
    await expect(loadBitmapDirectory({ file, geometry, size: 0 }, place)).rejects.toThrow(
      'Failed to read bitmap directory: Input/output error',
    )
  })
})
