/**
 * Proves that an image of a stranger gets one verdict, with every reason there is, and that no file which it names is
 * opened, although all of them are there to be opened.
 */

import { BlockError, changeDirtyBitmap, createSnapshot } from '@blocklayer/block-core'
import { nodeSpec } from '@blocklayer/block-core/driver'
import { filled, MemoryFiles, MemoryStore } from '@blocklayer/block-core/testing'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { describe, expect, test } from 'vitest'
import { inspectImage } from '../../src/inspect/inspect-image.ts'
import { judge, MiB, newImage } from './images.ts'

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset)

test('a plain image is acceptable, under the name of its format', async () => {
  const image = await newImage({ use: (disk) => disk.write(0, filled(1, 128 * 1024)) })
  const { verdict, format, virtualSize, fileSize, reasons, opened } = await judge(image)
  expect({ verdict, format, virtualSize, reasons, opened }).toEqual({
    verdict: 'acceptable',
    format: 'qcow2',
    virtualSize: 1048576n,
    reasons: [],
    opened: ['image'],
  })
  expect(fileSize).toBe(image.length)
})

test('so are snapshots, bitmaps and compressed clusters within measure', async () => {
  const image = await newImage({
    use: async (disk) => {
      await changeDirtyBitmap(disk.root, { type: 'add', name: 'b0', persistent: true, granularity: 65536 })
      await disk.writeCompressed(0, filled(1, 65536))
      await createSnapshot(disk, { name: 'one' })
      await disk.write(0, filled(2, 65536))
    },
  })
  expect(await judge(image)).toMatchObject({ verdict: 'acceptable', reasons: [] })
})

describe('names of other files', () => {
  test.each(['/etc/shadow', 'mem:secret', 'json:{"driver":"mem","filename":"secret"}', 'nbd://10.0.0.1/x', 'secret'])(
    'a backing file %s is not opened',
    async (backing) => {
      const { verdict, reasons, opened } = await judge(await newImage({ backing }))
      expect(verdict).toBe('refused')
      expect(reasons).toEqual([{ code: 'backing-file', message: `names a backing file: '${backing}'` }])
      expect(opened).toEqual(['image'])
    },
  )

  test('a data file is not opened', async () => {
    const image = await newImage({ options: { data_file: 'mem:secret' } })
    const { reasons, opened } = await judge(image)
    expect(reasons).toEqual([{ code: 'data-file', message: "names a data file: 'mem:secret'" }])
    expect(opened).toEqual(['image'])
  })

  test('a name with escapes for terminals is shown harmless', async () => {
    const { reasons } = await judge(await newImage({ backing: '\u001b[2Jevil' }))
    expect(reasons[0]?.message).toBe("names a backing file: '\\u{1b}[2Jevil'")
  })
})

describe('what it looks like', () => {
  test('a raw disk that begins like an image is refused as raw', async () => {
    const image = await newImage({ backing: '/etc/shadow' })
    const { reasons, opened } = await judge(image, { format: 'raw' })
    expect(reasons).toEqual([{ code: 'ambiguous-format', message: 'is said to be raw, but looks like qcow2' }])
    expect(opened).toEqual(['image'])
  })

  test('a raw disk that is one is acceptable', async () => {
    expect(await judge(filled(7, MiB))).toMatchObject({ verdict: 'acceptable', format: 'raw', virtualSize: 1048576n })
    expect(await judge(new Uint8Array(0))).toMatchObject({ verdict: 'acceptable', format: 'raw' })
    expect(await judge(filled(7, MiB), { format: 'raw' })).toMatchObject({ verdict: 'acceptable' })
    expect((await judge(filled(7, MiB), { format: 'qcow2' })).reasons).toEqual([
      { code: 'ambiguous-format', message: 'is said to be qcow2, but looks like raw' },
    ])
  })

  test('two formats at once', async () => {
    const image = await newImage()
    image.set(new TextEncoder().encode('CD001'), 0x8001)
    expect((await judge(image)).reasons).toEqual([
      { code: 'ambiguous-format', message: 'looks like qcow2 and iso at once' },
    ])
  })

  test('a format that nobody here can judge', async () => {
    const vmdk = new Uint8Array(MiB)
    vmdk.set(new TextEncoder().encode('# Disk DescriptorFile\nRW 2048 FLAT "/etc/shadow" 0\n'))
    expect((await judge(vmdk)).reasons).toEqual([
      { code: 'unsupported-format', message: 'images of format vmdk cannot be judged' },
    ])
  })
})

describe('what its header claims', () => {
  test('all reasons at once, without reading further', async () => {
    const image = await newImage({ backing: '/etc/shadow' })
    view(image).setBigUint64(24, 1n << 62n)
    view(image).setUint32(32, 2)
    view(image).setBigUint64(72, 1n << 33n)
    view(image).setUint32(60, 5000)
    const { codes, virtualSize } = await judge(image)
    expect(virtualSize).toBe(1n << 62n)
    for (const code of ['backing-file', 'virtual-size', 'encrypted', 'unknown-feature', 'snapshots', 'invalid']) {
      expect(codes).toContain(code)
    }
  })

  test('a header that cannot be read at all', async () => {
    const image = await newImage()
    view(image).setUint32(20, 40)
    expect((await judge(image)).reasons).toEqual([{ code: 'invalid', message: 'Unsupported cluster size: 2^40' }])
  })

  test('tables outside the file', async () => {
    const image = await newImage()
    view(image).setBigUint64(48, 1n << 40n)
    expect((await judge(image)).codes).toEqual(['outside-file'])
  })

  test('bitmaps that stand for more bits than memory holds', async () => {
    const image = await newImage({
      size: 16 * 1024 * MiB,
      use: (disk) => changeDirtyBitmap(disk.root, { type: 'add', name: 'b0', persistent: true, granularity: 512 }),
    })
    expect((await judge(image)).verdict).toBe('acceptable')
    // Enough for the caches, and for less than the bitmap's four million bytes.
    const { reasons } = await judge(image, { limits: { maxMemory: 34 * MiB } })
    expect(reasons.map(({ code }) => code)).toEqual(['memory'])
  })
})

describe('what its tables make of the file', () => {
  test('an entry that names a table', async () => {
    const image = await newImage({ use: (disk) => disk.write(0, filled(1, 65536)) })
    const l2 = Number(view(image).getBigUint64(Number(view(image).getBigUint64(40))) & 0xfffffffffffe00n)
    view(image).setBigUint64(l2, (1n << 63n) | 65536n)
    expect((await judge(image)).reasons).toEqual([
      { code: 'overlap', message: 'two structures claim the place at offset 65536' },
    ])
  })

  test('an image that calls itself corrupt', async () => {
    const image = await newImage()
    view(image).setBigUint64(72, 2n)
    expect((await judge(image)).codes).toEqual(['corrupt'])
  })

  test('tables that are wrong in a way that only opening shows', async () => {
    const image = await newImage({
      use: (disk) => changeDirtyBitmap(disk.root, { type: 'add', name: 'b0', persistent: true, granularity: 65536 }),
    })
    // The bitmap's name becomes longer than the directory is.
    let entry = 0
    while (image[entry + 17] !== 16 || view(image).getUint16(entry + 24) !== 0x6230) entry += 8
    view(image).setUint16(entry + 18, 60000)
    expect((await judge(image)).reasons).toEqual([{ code: 'invalid', message: 'Broken bitmap directory' }])
  })
})

test('a file that cannot be read is no verdict', async () => {
  const files = new MemoryFiles()
  const file = nodeSpec(files.driver, { filename: 'nowhere' })
  await expect(inspectImage({ file, formats: [qcow2Driver] })).rejects.toThrow(BlockError)
})

test('judging can be stopped', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  const files = new MemoryFiles()
  files.stores.set('x', new MemoryStore(await newImage()))
  const file = nodeSpec(files.driver, { filename: 'x' })
  await expect(inspectImage({ file, formats: [qcow2Driver], signal })).rejects.toThrow('enough')
})
