/** Proves that every request succeeds, that nothing is stored, and what reads, extents and sizes say then. */

import { hostBytesOf, reopenReadOnly } from '@blocklayer/block-core'
import { filled } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { nullAio, nullCo } from '../src/index.ts'
import { NullLayer } from '../src/null-layer.ts'
import { open, reference, withoutReference } from './support.ts'

describe.each([
  { name: 'null-co', spec: nullCo },
  { name: 'null-aio', spec: nullAio },
])('$name', ({ spec }) => {
  test('reads leave the buffer alone', async () => {
    const disk = await open(spec())
    const into = filled(0xab, 100)
    await disk.write(7, filled(5, 100))
    await disk.read(7, into)
    expect(into).toEqual(filled(0xab, 100))
    await disk.read(7, [into.subarray(0, 10), into.subarray(10)])
    expect(into).toEqual(filled(0xab, 100))
  })

  test('or give zeroes, whatever was written', async () => {
    const disk = await open(spec({ readZeroes: true }))
    const into = filled(0xab, 100)
    await disk.write(7, filled(5, 100), { fua: true })
    await disk.write(7, [filled(5, 50), filled(6, 50)])
    await disk.read(7, into)
    expect(into).toEqual(filled(0, 100))
    into.fill(0xab)
    await disk.read(1, [into.subarray(0, 10), into.subarray(10)])
    expect(into).toEqual(filled(0, 100))
  })

  test('zero writes, discards and flushes succeed; the length stays', async () => {
    const disk = await open(spec({ size: 65536 }))
    await disk.writeZeroes(0, 65536, { mayUnmap: true })
    await disk.discard(0, 4096)
    await disk.flush()
    await expect(disk.writeZeroes(0, 512, { noFallback: true })).rejects.toMatchObject({ code: 'ENOTSUP' })
    await expect(disk.truncate(512)).rejects.toMatchObject({ message: 'Image format driver does not support resize' })
    await expect(disk.read(65536 - 512, new Uint8Array(1024))).rejects.toMatchObject({ code: 'EIO' })
  })

  test('a read-only node becomes writable', async () => {
    const disk = await open({ ...spec(), readOnly: true })
    await reopenReadOnly(disk.root, false)
    expect(disk.root.readOnly).toBe(false)
  })
})

test('nothing takes space', async () => {
  expect(await hostBytesOf((await open(nullCo())).root)).toBe(0)
})

test('only zeroes are promised to be zeroes', async () => {
  const layer = (readZeroes: boolean) => {
    const setting = { length: 512, latency: 0, readZeroes, isSpecial: true }
    return new NullLayer({ ...setting, protocol: 'null-co', fromEventLoop: false })
  }
  expect(await layer(true).hasZeroInit()).toBe(true)
  expect(await layer(false).hasZeroInit()).toBe(false)
})

// No timed assertion: the slow request was asked first, and is the last to end.
test('reads, writes and flushes take the latency', async () => {
  const order: string[] = []
  const note = (name: string) => () => void order.push(name)
  const slow = await open(nullCo({ latencyNs: 20_000_000 }))
  const quick = await open(nullCo())
  await slow.write(0, filled(1, 512))
  await Promise.all([
    slow.read(0, new Uint8Array(1)).then(note('slow')),
    quick.read(0, new Uint8Array(1)).then(note('quick')),
  ])
  await Promise.all([slow.write(0, filled(1, 1)).then(note('slow')), quick.write(0, filled(1, 1)).then(note('quick'))])
  await Promise.all([slow.flush().then(note('slow')), quick.flush().then(note('quick'))])
  expect(order).toEqual(['quick', 'slow', 'quick', 'slow', 'quick', 'slow'])
})

test('null-aio completes later than null-co', async () => {
  const order: string[] = []
  const aio = await open(nullAio())
  const co = await open(nullCo())
  await Promise.all([
    aio.read(0, new Uint8Array(1)).then(() => order.push('aio')),
    co.read(0, new Uint8Array(1)).then(() => order.push('co')),
  ])
  expect(order).toEqual(['co', 'aio'])
})

describe.skipIf(withoutReference)('beside the reference (skipped without qemu-img)', () => {
  test.each(['{"driver":"null-co","size":4096,"read-zeroes":true}', '{"driver":"null-co","size":1000}'])(
    'the same map: %s',
    async (image) => {
      const disk = await open(`json:${image}`)
      const extents = []
      for await (const { start, bytes, present, zero, data, hostOffset } of disk.map()) {
        const offset = hostOffset === undefined ? {} : { offset: hostOffset }
        extents.push({ start, length: bytes, depth: 0, present, zero, data, ...offset })
      }
      const printed = JSON.parse(reference('qemu-img', 'map', '--output=json', `json:${image}`)) as {
        offset?: number
      }[]
      expect(extents).toEqual(printed)
    },
  )
})
