// Proves that a copy is the source's content, whatever is left out, however many requests are in flight, and that
// failing requests end it with their place, or are passed over where that is asked for.

import { expect, test } from 'vitest'
import { type CopyOptions, copyDisk, countData } from '../../src/convert/copy.ts'
import { Sources } from '../../src/convert/sources.ts'
import { contentOf, filled, kib, type MemoryImages, memoryImages, mib } from '../support/images.ts'

const size = 5 * mib
const data = { [64 * kib]: filled(64 * kib, 1), [2 * mib - 5 * kib]: filled(mib, 2), [4 * mib]: filled(1, 3) }

/** A source with data and gaps, an empty target, and the plainest copy between them. */
async function prepared(images: MemoryImages, changes: Partial<CopyOptions> = {}): Promise<CopyOptions> {
  await images.make('source', 'qcow2', size, data)
  await images.make('target', 'qcow2', size)
  return {
    sources: new Sources([await images.open('source', 'qcow2')]),
    target: await images.open('target', 'qcow2', { writable: true }),
    rules: { targetHasBacking: false, targetBackingBytes: Number.POSITIVE_INFINITY },
    sparse: { sparseBytes: 4096, alignment: 4096 },
    targetReadsZero: true,
    compress: undefined,
    workers: 1,
    inOrder: true,
    rate: 0,
    salvage: undefined,
    dataTotal: 0,
    ...changes,
  }
}

async function expected(): Promise<Uint8Array> {
  const content = new Uint8Array(size)
  for (const [offset, bytes] of Object.entries(data)) content.set(bytes, Number(offset))
  return content
}

test.each<[string, Partial<CopyOptions>]>([
  ['plainly', {}],
  ['by many, in order', { workers: 8 }],
  ['by many, in any order', { workers: 16, inOrder: false }],
  ['with every zero written', { sparse: undefined, targetReadsZero: false }],
  ['with zeroes written as such', { targetReadsZero: false }],
  ['compressed', { compress: 64 * kib, workers: 4 }],
  ['at a rate', { rate: 2 ** 33 }],
])('a copy made %s', async (_, changes) => {
  await using images = memoryImages()
  const options = await prepared(images, changes)
  await copyDisk(options)
  expect(Buffer.compare(await contentOf(options.target), await expected())).toBe(0)
})

test('a compressed target ends with a whole sector', async () => {
  await using images = memoryImages()
  const options = await prepared(images, { compress: 64 * kib })
  await copyDisk(options)
  const { length } = images.store('target')
  expect([length > 5 * 64 * kib, length % 512]).toEqual([true, 0])
  images.store('target').arm({ index: 0, kinds: ['resize'], code: 'ENOSPC' })
  const failing = copyDisk({ ...options, rules: { ...options.rules }, sources: new Sources([]) })
  await expect(failing).rejects.toThrow('error while writing at byte 0: No space left on device')
})

test('what reads as zeroes already is left out', async () => {
  await using images = memoryImages()
  const options = await prepared(images)
  await copyDisk(options)
  const extents: number[] = []
  for await (const { bytes, data: isData } of options.target.map()) if (isData) extents.push(bytes)
  expect(extents).toEqual([64 * kib, 1088 * kib, 64 * kib])
})

test('progress goes by the data where it was counted, and by the place elsewhere', async () => {
  await using images = memoryImages()
  const steps: number[][] = []
  const onProgress = ({ current, total }: { current: number; total: number }): void => void steps.push([current, total])
  const options = await prepared(images, { onProgress })
  const dataTotal = await countData(options)
  expect(dataTotal).toBe((64 + 1088 + 64) * kib)
  await copyDisk({ ...options, dataTotal })
  expect(steps.at(-1)).toEqual([dataTotal, dataTotal])
  await copyDisk(options)
  expect(steps.at(-1)).toEqual([4 * mib + 64 * kib, size])
})

test('a failing read', async () => {
  await using images = memoryImages()
  const options = await prepared(images)
  images.store('source').arm({ index: 1, code: 'EIO', kinds: ['read'] })
  await expect(copyDisk(options)).rejects.toMatchObject({
    code: 'EIO',
    message: 'error while reading at byte 65536: Input/output error',
  })
})

test('a failing write ends every worker', async () => {
  await using images = memoryImages()
  const options = await prepared(images, { workers: 8 })
  images.store('target').arm({ index: 0, code: 'ENOSPC', kinds: ['write'], forGood: true })
  await expect(copyDisk(options)).rejects.toMatchObject({
    code: 'ENOSPC',
    message: 'error while writing at byte 65536: No space left on device',
  })
  images.store('target').disarm()
})

test('a failing block status', async () => {
  await using images = memoryImages()
  const options = await prepared(images)
  images.store('source').arm({ index: 0, code: 'EIO', kinds: ['read'] })
  const failure = { code: 'EIO', message: 'error while reading block status at offset 0: Input/output error' }
  await expect(copyDisk(options)).rejects.toMatchObject(failure)
  images.store('source').arm({ index: 0, code: 'EIO', kinds: ['read'] })
  await expect(countData(options)).rejects.toMatchObject(failure)
})

test('salvaging leaves zeroes where sectors cannot be read', async () => {
  await using images = memoryImages()
  const warnings: [number, string][] = []
  const salvage = (offset: number, message: string): void => void warnings.push([offset, message])
  const options = await prepared(images, { salvage, targetReadsZero: false })
  await images.make('raw', 'raw', 4 * kib, { 0: filled(4 * kib, 8) })
  const sources = new Sources([await images.open('raw', 'raw')])
  // Sectors are read one by one where all together cannot be.
  images.store('raw').arm({ index: 0, code: 'EIO', kinds: ['read'] })
  await copyDisk({ ...options, sources })
  expect(warnings).toEqual([])
  expect((await contentOf(options.target)).subarray(0, 4 * kib)).toEqual(filled(4 * kib, 8))
  images.store('raw').arm({ index: 0, code: 'EIO', kinds: ['read'], forGood: true })
  await copyDisk({ ...options, sources })
  expect(warnings).toHaveLength(8)
  expect(warnings[7]).toEqual([3584, 'error while reading offset 3584: Input/output error'])
  expect((await contentOf(options.target)).subarray(0, 4 * kib)).toEqual(filled(4 * kib, 0))
})

test('salvaging takes a run of unknown status for data', async () => {
  await using images = memoryImages()
  const warnings: string[] = []
  const options = await prepared(images, { salvage: (_, message) => void warnings.push(message) })
  images.store('source').arm({ index: 0, code: 'EIO', kinds: ['read'] })
  await copyDisk(options)
  expect(warnings).toEqual(['error while reading block status at offset 0: Input/output error'])
  expect(Buffer.compare(await contentOf(options.target), await expected())).toBe(0)
})

test('it can be stopped, also while the rate holds it back', async () => {
  await using images = memoryImages()
  const stop = new AbortController()
  const reason = new Error('enough')
  const onProgress = (): void => void setTimeout(() => stop.abort(reason), 5)
  const options = await prepared(images, { workers: 4, rate: 1, signal: stop.signal, onProgress })
  await expect(copyDisk(options)).rejects.toBe(reason)
  await expect(countData({ ...options })).rejects.toBe(reason)
})
