/** Extensions are found, judged, kept and written as the reference does it. */

import { describe, expect, test } from 'vitest'
import { decodeText, encodeText, viewOf } from '../../src/format/bytes.ts'
import { decodeHeader } from '../../src/format/header.ts'
import {
  decodeBackingFile,
  decodeExtensions,
  encodeFirstCluster,
  nameBytes,
  nameText,
  noExtensions,
  readFeatureNames,
  staleBitmapsHint,
  staleBitmapsWarning,
} from '../../src/format/header-extension.ts'
import { plainHeaderBytes } from '../helpers/header-bytes.ts'

interface Raw {
  type: number
  data: Uint8Array
}

/** A first cluster with `extensions` behind a plain header. */
function clusterWith(extensions: readonly Raw[], change: (view: DataView) => void = () => undefined): Uint8Array {
  const cluster = new Uint8Array(65536)
  cluster.set(plainHeaderBytes(change))
  let at = viewOf(cluster).getUint32(100)
  for (const { type, data } of extensions) {
    viewOf(cluster).setUint32(at, type)
    viewOf(cluster).setUint32(at + 4, data.length)
    cluster.set(data, at + 8)
    at += 8 + Math.ceil(data.length / 8) * 8
  }
  return cluster
}

function decoded(extensions: readonly Raw[], change?: (view: DataView) => void) {
  const cluster = clusterWith(extensions, change)
  return decodeExtensions(decodeHeader(cluster), cluster)
}

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const bitmaps = (text: string) => [{ type: 0x23852875, data: hex(text) }]
const bitmapsOn = (view: DataView) => view.setUint32(92, 1)
const luks = (view: DataView) => view.setUint32(32, 2)

describe('decoding', () => {
  test('names', () => {
    const found = decoded([
      { type: 0xe2792aca, data: encodeText('qcow2') },
      { type: 0x44415441, data: encodeText('o.raw') },
    ])
    expect(nameText(found.backingFormat)).toBe('qcow2')
    expect(nameText(found.dataFile)).toBe('o.raw')
    expect(found.staleBitmaps).toBe(false)
  })

  test('nothing after the end mark is looked at', () => {
    const found = decoded([
      { type: 0, data: new Uint8Array(0) },
      { type: 0xe2792aca, data: encodeText('qcow2') },
    ])
    expect(found.backingFormat).toBeUndefined()
  })

  test('unknown extensions are kept, last first', () => {
    const found = decoded([
      { type: 0x12345678, data: hex('0102') },
      { type: 0x9abcdef0, data: hex('03') },
    ])
    expect(found.unknown).toEqual([
      { type: 0x9abcdef0, data: hex('03') },
      { type: 0x12345678, data: hex('0102') },
    ])
  })

  test('bitmaps', () => {
    const found = decoded(bitmaps('00000001 00000000 0000000000000020 0000000000050000'), bitmapsOn)
    expect(found.bitmaps).toEqual({ count: 1, directorySize: 32, directoryOffset: 0x50000 })
  })

  test('bitmaps without their autoclear bit are stale', () => {
    const found = decoded(bitmaps('00000001 00000000 0000000000000020 0000000000050000'))
    expect(found).toMatchObject({ bitmaps: undefined, staleBitmaps: true })
    expect(staleBitmapsWarning(3)).toMatch(/^a program lacking bitmap support/)
    expect(staleBitmapsWarning(2)).toMatch(/^This qcow2 v2 image contains bitmaps/)
    expect(staleBitmapsHint).toMatch(/^Some clusters may be leaked/)
  })

  test('the LUKS header', () => {
    const found = decoded([{ type: 0x0537be77, data: hex('0000000000040000 00000000001f9000') }], luks)
    expect(found.crypto).toEqual({ offset: 0x40000, bytes: 0x1f9000 })
  })
})

describe('refusals', () => {
  test.each<[string, Raw[], ((view: DataView) => void)?]>([
    ['ERROR: ext_backing_format: len=16 too large (>=16)', [{ type: 0xe2792aca, data: new Uint8Array(16) }]],
    [
      'CRYPTO header extension only expected with LUKS encryption method',
      [{ type: 0x0537be77, data: new Uint8Array(16) }],
    ],
    ['CRYPTO header extension size 8, but expected size 16', [{ type: 0x0537be77, data: new Uint8Array(8) }], luks],
    [
      "Encryption header offset '262145' is not a multiple of cluster size '65536'",
      [{ type: 0x0537be77, data: hex('0000000000040001 00000000001f9000') }],
      luks,
    ],
    ['bitmaps_ext: Invalid extension length', bitmaps('00')],
    [
      'bitmaps_ext: Reserved field is not zero',
      bitmaps('00000001 00000001 0000000000000020 0000000000050000'),
      bitmapsOn,
    ],
    [
      'bitmaps_ext: Image has 65536 bitmaps, exceeding the QEMU supported maximum of 65535',
      bitmaps('00010000 00000000 0000000000000020 0000000000050000'),
      bitmapsOn,
    ],
    [
      'found bitmaps extension with zero bitmaps',
      bitmaps('00000000 00000000 0000000000000020 0000000000050000'),
      bitmapsOn,
    ],
    [
      'bitmaps_ext: invalid bitmap directory offset',
      bitmaps('00000001 00000000 0000000000000020 0000000000050001'),
      bitmapsOn,
    ],
    [
      'bitmaps_ext: bitmap directory size (67107841) exceeds the maximum supported size (67107840)',
      bitmaps('00000001 00000000 0000000003fffc01 0000000000050000'),
      bitmapsOn,
    ],
  ])('%s', (message, extensions, change) => {
    expect(() => decoded(extensions, change)).toThrow(expect.objectContaining({ code: 'EINVAL', message }))
  })

  test('an extension that does not fit its area', () => {
    const limited = (view: DataView) => view.setUint32(12, 128)
    expect(() => decoded([{ type: 1, data: new Uint8Array(9) }], limited)).toThrow('Header extension too large')
    const odd = (view: DataView) => view.setUint32(12, 124)
    expect(() => decoded([{ type: 1, data: new Uint8Array(0) }], odd)).toThrow('Header extension too large')
    expect(decoded([{ type: 1, data: new Uint8Array(8) }], limited).unknown).toHaveLength(1)
  })

  test('a backing file name that is too long', () => {
    const name = (offset: number, bytes: number) =>
      clusterWith([], (view) => {
        view.setUint32(12, offset)
        view.setUint32(16, bytes)
      })
    for (const [offset, bytes] of [
      [128, 1024],
      [65536 - 8, 9],
    ] as const) {
      const cluster = name(offset, bytes)
      expect(() => decodeBackingFile(decodeHeader(cluster), cluster)).toThrow('Backing file name too long')
    }
    const cluster = name(128, 1023)
    expect(decodeBackingFile(decodeHeader(cluster), cluster)).toHaveLength(1023)
    expect(decodeBackingFile(decodeHeader(plainHeaderBytes()), cluster)).toBeUndefined()
  })
})

describe('feature names', () => {
  test('come from the image', () => {
    const row = new Uint8Array(48)
    row.set([0, 7])
    row.set(encodeText('mine'), 2)
    const cluster = clusterWith([{ type: 0x6803f857, data: row }])
    expect(readFeatureNames(decodeHeader(cluster), cluster)).toEqual([{ set: 0, bit: 7, name: 'mine' }])
  })

  test('are given up where the area is broken', () => {
    const cluster = clusterWith([{ type: 1, data: new Uint8Array(9) }], (view) => view.setUint32(12, 128))
    expect(readFeatureNames(decodeHeader(cluster), cluster)).toEqual([])
  })
})

describe('encodeFirstCluster', () => {
  const header = decodeHeader(plainHeaderBytes())

  test('places the backing file as the reference does', () => {
    const cluster = encodeFirstCluster(header, {
      ...noExtensions,
      backingFile: nameBytes('base'),
      backingFormat: nameBytes('qcow2'),
    })
    const again = decodeHeader(cluster)
    expect(again).toMatchObject({ backingFileOffset: 0x210, backingFileSize: 4 })
    expect(decodeText(decodeBackingFile(again, cluster)!)).toBe('base')
    expect(Buffer.from(cluster.subarray(0x70, 0x80)).toString('hex')).toBe(`e2792aca00000005${'71636f7732'}000000`)
  })

  test('every extension in order', () => {
    const extensions = {
      backingFile: nameBytes('base'),
      backingFormat: nameBytes('raw'),
      dataFile: nameBytes('data'),
      crypto: { offset: 0x40000, bytes: 0x1f9000 },
      bitmaps: { count: 1, directorySize: 32, directoryOffset: 0x50000 },
      unknown: [{ type: 0x12345678, data: hex('0102') }],
    }
    const flagged = { ...header, cryptMethod: 2, autoclearFeatures: { high: 0, low: 1 } }
    const cluster = encodeFirstCluster(flagged, extensions)
    const again = decodeHeader(cluster)
    expect(decodeExtensions(again, cluster)).toEqual({ ...extensions, backingFile: undefined, staleBitmaps: false })
    const types: number[] = []
    for (let at = 112; ; ) {
      const type = viewOf(cluster).getUint32(at)
      if (type === 0) break
      types.push(type)
      at += 8 + Math.ceil(viewOf(cluster).getUint32(at + 4) / 8) * 8
    }
    expect(types).toEqual([0xe2792aca, 0x44415441, 0x0537be77, 0x6803f857, 0x23852875, 0x12345678])
  })

  test('small clusters and version 2 have no feature names', () => {
    const small = encodeFirstCluster({ ...header, clusterBits: 12 }, { ...noExtensions, backingFile: nameBytes('b') })
    expect(decodeHeader(small).backingFileOffset).toBe(112 + 8)
    const old = encodeFirstCluster({ ...header, version: 2 }, { ...noExtensions, backingFile: nameBytes('b') })
    expect(decodeHeader(old).backingFileOffset).toBe(72 + 8)
  })

  test('what does not fit one cluster is refused', () => {
    const small = { ...header, clusterBits: 9 }
    const named = (bytes: number) => ({
      ...noExtensions,
      backingFile: new Uint8Array(bytes).fill(0x61),
      backingFormat: nameBytes('raw'),
    })
    expect(encodeFirstCluster(small, named(376))).toHaveLength(512)
    const full = expect.objectContaining({ code: 'ENOSPC' })
    expect(() => encodeFirstCluster(small, named(377))).toThrow(full)
    const unknown = [{ type: 1, data: new Uint8Array(400) }]
    expect(() => encodeFirstCluster(small, { ...noExtensions, unknown })).toThrow(full)
  })
})
