/** Proves that whole clusters arrive compressed, that smaller writes read theirs first, and that zeroes stay zeroes. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filled } from '@blocklayer/block-core/testing'
import type { Child } from '@blocklayer/block-core/driver'
import { createBlockGraph } from '@blocklayer/block-core'
import { file, fileDriver } from '@blocklayer/driver-file'
import { qcow2, qcow2Driver } from '@blocklayer/driver-qcow2'
import { expect, onTestFinished, test } from 'vitest'
import { compress } from '../src/index.ts'
import { CompressLayer } from '../src/compress-layer.ts'
import { clusterSize, openCompress, reference, ToyDisk, withoutReference } from './support.ts'

const KiB = 1024

test('every write is one of whole clusters', async () => {
  const disk = new ToyDisk(64 * KiB)
  const backend = await openCompress(disk)
  await backend.write(0, filled(1, 4 * KiB))
  await backend.write(8 * KiB, filled(2, 16 * KiB))
  await backend.write(30_000, filled(3, 100))
  await backend.write(40_000, [filled(4, 5000), filled(5, 5000)])
  expect(disk.log).toEqual([
    'compressed 0 4096',
    'compressed 8192 16384',
    'compressed 28672 4096',
    'compressed 36864 16384',
  ])
  const around = new Uint8Array(102)
  await backend.read(29_999, around)
  expect(around).toEqual(Uint8Array.from([0, ...filled(3, 100), 0]))
  const parts = [new Uint8Array(5000), new Uint8Array(5001)]
  await backend.read(40_000, parts)
  expect(parts).toEqual([filled(4, 5000), Uint8Array.from([...filled(5, 5000), 0])])
})

test('zeroes and discards are not compressed', async () => {
  const disk = new ToyDisk(64 * KiB)
  const backend = await openCompress(disk)
  await backend.write(0, filled(1, 64 * KiB))
  await backend.writeZeroes(4 * KiB, 4 * KiB)
  await backend.writeZeroes(8 * KiB, 4 * KiB, { mayUnmap: true })
  await backend.discard(12 * KiB, 8 * KiB)
  expect(disk.log.slice(1)).toEqual(['zero 4096 4096', 'unmap 8192 4096', 'discard 12288 8192'])
  // The clusters at either end hold other data, too.
  await backend.writeZeroes(50_000, 10_000)
  expect(disk.log.slice(4)).toEqual(['compressed 49152 4096', 'zero 53248 4096', 'compressed 57344 4096'])
  expect([...disk.compressed].sort((a, b) => a - b)).toEqual([0, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15])
})

test('a last cluster ends with the disk; behind that the format decides', async () => {
  const seen: number[] = []
  const file = { length: 4608, writeCompressed: async (_: number, data: Uint8Array) => void seen.push(data.length) }
  const { writer } = new CompressLayer(file as unknown as Child)
  await writer.write(0, new Uint8Array(4096), { fua: false })
  await writer.write(4096, new Uint8Array(4096), { fua: false })
  await writer.write(8192, new Uint8Array(4096), { fua: false })
  await writer.writev?.(4096, [new Uint8Array(100), new Uint8Array(3996)], { fua: false })
  expect(seen).toEqual([4096, 512, 4096, 512])
})

test('what must be durable is flushed', async () => {
  const disk = new ToyDisk(64 * KiB)
  const backend = await openCompress(disk)
  await backend.write(0, filled(1, 4 * KiB), { fua: true })
  expect(disk.store.flushes).toBe(1)
})

test('of the facts about the format only the cluster size is shown', async () => {
  const backend = await openCompress(new ToyDisk(64 * KiB))
  expect(backend.info).toEqual({ clusterSize })
  const bare = { node: { ejected: false }, info: {} } as unknown as Child
  const gone = { node: { ejected: true } } as unknown as Child
  for (const child of [bare, gone]) {
    expect(new CompressLayer(child).info()).toEqual({})
    expect(new CompressLayer(child).limits).toEqual({})
  }
})

// The order and extent of requests below the filter, as the reference's own trace shows them.
test.skipIf(withoutReference)('needs qemu-io: the same requests arrive there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'blocklayer-compress-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const image = join(folder, 'image.qcow2')
  reference('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', `cluster_size=${clusterSize}`, image, '128k')
  const requests = [
    ['write', 0, 4096],
    ['write', 8192, 16384],
    ['write', 30_000, 100],
    ['write', 40_000, 10_000],
    ['zero', 53_248, 4096],
    ['zero', 60_000, 500],
    ['zero', 70_000, 10_000],
  ] as const
  const commands = requests.flatMap(([kind, offset, bytes]) => [
    '-c',
    `write ${kind === 'zero' ? '-z ' : ''}${offset} ${bytes}`,
  ])
  const options = `driver=compress,file.driver=qcow2,file.file.driver=file,file.file.filename=${image}`
  const trace = reference('qemu-io', '-t', 'writeback', '-T', 'bdrv_co_p*', '--image-opts', options, ...commands)
  const theirs = [...trace.matchAll(/bdrv_co_(pwrite_zeroes|pwritev_part) .* offset (\d+) bytes (\d+) flags (0x\w+)/g)]
    .filter(([, call, , , flags]) => call === 'pwrite_zeroes' || flags === '0x20')
    .map(([, call, offset, bytes]) => `${call === 'pwrite_zeroes' ? 'zero' : 'compressed'} ${offset} ${bytes}`)

  const disk = new ToyDisk(128 * KiB)
  const backend = await openCompress(disk)
  for (const [kind, offset, bytes] of requests) {
    await (kind === 'zero' ? backend.writeZeroes(offset, bytes) : backend.write(offset, filled(1, bytes)))
  }
  expect(disk.log).toEqual(theirs)
})

// Ours all the way down: what the reference reads there, and that it finds nothing to complain about.
test.skipIf(withoutReference)('needs qemu-io: a qcow2 image holds compressed clusters', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'blocklayer-compress-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const image = join(folder, 'image.qcow2')
  await using graph = createBlockGraph({ drivers: [fileDriver, qcow2Driver], implicitOpen: 'deny' })
  await graph.create('qcow2', image, { size: 1024 * KiB })
  const disk = await graph.open(compress({ file: qcow2({ file: file(image) }) }))
  await disk.write(0, filled(7, 64 * KiB))
  await disk.write(70_000, filled(8, 100))
  await disk.writeZeroes(200_000, 100_000)
  await disk.close()
  const check = reference('qemu-img', 'check', image)
  expect(check).toContain('No errors were found on the image.')
  expect(check).toContain('100.00% compressed clusters')
  const reads = ['read -P 7 0 64k', 'read -P 8 70000 100', 'read -P 0 200000 100000'].flatMap((read) => ['-c', read])
  expect(reference('qemu-io', '-f', 'qcow2', image, ...reads)).not.toMatch(/fail/i)
})
