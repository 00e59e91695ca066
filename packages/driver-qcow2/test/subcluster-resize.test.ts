/**
 * Proves that resizing a disk with extended L2 entries leaves the same bytes and the same map as the reference does, and
 * gives places to as many clusters, with every preallocation, with and without a backing file that is longer, at every
 * alignment; and that such an image is measured and amended as the reference does it.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { amendImage } from '@blocklayer/block-core'
import type { Preallocation } from '@blocklayer/block-core/driver'
import { expectSameBytes, filled, MemoryStore } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { measureQcow2 } from '../src/features/create/measure.ts'
import { checkStore, KiB, MiB, openDisk, readAll } from './helpers/disk.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from './helpers/reference.ts'

const image = (folder: TemporaryFolder, name: string): MemoryStore =>
  new MemoryStore(new Uint8Array(readFileSync(folder.file(name))))

/** What the reference's `map` says of the kinds of content. Whether data is zeroes is for the file system to say. */
function kinds(path: string, from = 0): string[] {
  const extents = JSON.parse(qemuImg('map', '--output=json', path).out) as Record<string, number | boolean>[]
  const runs: string[] = []
  let last = ''
  for (const { start, length, depth, present, zero, data } of extents) {
    if (Number(start) + Number(length) <= from) continue
    const kind = `depth ${depth}${present ? ', present' : ''}${data ? ', data' : zero ? ', zero' : ''}`
    if (kind !== last) runs.push(`${Math.max(from, Number(start))}: ${kind}`)
    last = kind
  }
  return runs
}

/** Guest clusters that the reference's check finds a place for. */
function placed(path: string): number {
  return JSON.parse(qemuImg('check', '--output=json', path).out)['allocated-clusters'] ?? 0
}

interface Case {
  readonly from: number
  readonly to: number
  readonly preallocation: Preallocation
  readonly backing: boolean
}

const modes: readonly Preallocation[] = ['off', 'metadata', 'falloc', 'full']
const cases: readonly Case[] = [
  [256 * KiB, 512 * KiB],
  [256 * KiB + 512, 512 * KiB],
  [250 * KiB, 300 * KiB + 512],
  [200 * KiB + 512, 220 * KiB],
  [512 * KiB, 200 * KiB],
  [512 * KiB, 193 * KiB + 512],
].flatMap(([from, to]) =>
  [false, true].flatMap((backing) =>
    (from! < to! ? modes : modes.slice(0, 1)).map((preallocation) => ({
      from: from!,
      to: to!,
      preallocation,
      backing,
    })),
  ),
)

function prepare(folder: TemporaryFolder, { from, backing }: Pick<Case, 'from' | 'backing'>): void {
  qemuImg('create', '-q', '-f', 'qcow2', folder.file('backing'), String(MiB))
  qemuIo(folder.file('backing'), 'write -P 7 0 1M')
  const over = backing ? ['-b', folder.file('backing'), '-F', 'qcow2'] : []
  for (const name of ['ours', 'theirs']) {
    const path = folder.file(name)
    qemuImg('create', '-q', '-f', 'qcow2', '-o', 'extended_l2=on', ...over, path, String(from))
    qemuIo(path, 'write -P 1 0 64k', 'write -P 2 130k 5k', 'write -z 140k 6k', 'write -P 3 192k 3k', 'write -z 66k 5k')
  }
}

function bytesOf(folder: TemporaryFolder, name: string): Uint8Array {
  expect(qemuImg('convert', '-O', 'raw', folder.file(name), folder.file('raw')).code).toBe(0)
  return new Uint8Array(readFileSync(folder.file('raw')))
}

describeWithReference.each(cases)('from $from to $to, $preallocation, over a backing file: $backing', (each) => {
  test('same bytes, same map', async () => {
    using folder = new TemporaryFolder()
    prepare(folder, each)
    const { to, preallocation } = each
    const shrink = to < each.from ? ['--shrink'] : [`--preallocation=${preallocation}`]
    expect(qemuImg('resize', '-q', ...shrink, folder.file('theirs'), String(to))).toMatchObject({ code: 0, err: '' })
    const store = image(folder, 'ours')
    const opened = await openDisk(store, { ...(each.backing && { backing: image(folder, 'backing') }) })
    const { disk } = opened
    await disk.truncate(to, { preallocation })
    const content = await readAll(disk)
    await opened.close()
    expect(await checkStore(store)).toMatchObject({ corruptions: 0, leaks: 0, checkErrors: 0 })
    writeFileSync(folder.file('ours'), store.bytes())
    expect(qemuImg('check', folder.file('ours'))).toMatchObject({ code: 0, err: '' })
    expectSameBytes(bytesOf(folder, 'ours'), content, 'as the reference reads it')
    expectSameBytes(bytesOf(folder, 'theirs'), content, 'as the reference does it')
    // The reference copies the cluster that the new area begins in from the backing file to make it data.
    const copies = each.backing && (preallocation === 'falloc' || preallocation === 'full')
    const from = copies ? Math.floor(each.from / 2048) * 2048 : 0
    expect(kinds(folder.file('ours'), from)).toEqual(kinds(folder.file('theirs'), from))
    expect(placed(folder.file('ours'))).toBe(placed(folder.file('theirs')))
  })
})

describeWithReference('the rest of what is done to an image as a whole', () => {
  test('what was cut off inside a cluster does not come back, whichever subcluster held it', async () => {
    using folder = new TemporaryFolder()
    prepare(folder, { from: 256 * KiB, backing: false })
    const opened = await openDisk(image(folder, 'ours'))
    await opened.disk.truncate(129 * KiB)
    await opened.disk.truncate(256 * KiB)
    const content = await readAll(opened.disk)
    expectSameBytes(content.subarray(64 * KiB), new Uint8Array(192 * KiB), 'behind the cut')
    await opened.close()
  })

  test('what was cut off from a compressed cluster does not come back', async () => {
    using folder = new TemporaryFolder()
    prepare(folder, { from: 256 * KiB, backing: false })
    const opened = await openDisk(image(folder, 'ours'))
    await opened.disk.discard(64 * KiB, 64 * KiB)
    await opened.disk.writeZeroes(64 * KiB, 64 * KiB, { mayUnmap: true })
    await opened.disk.writeCompressed(64 * KiB, filled(9, 64 * KiB))
    await opened.disk.truncate(70 * KiB + 512)
    await opened.disk.truncate(256 * KiB)
    const content = await readAll(opened.disk)
    expect([content[64 * KiB], content[70 * KiB + 511], content[70 * KiB + 512], content[128 * KiB - 1]]).toEqual([
      9, 9, 0, 0,
    ])
    await opened.close()
  })

  // Random histories found it: zeroing shows in the map, and makes data of what was compressed.
  test.each([
    ['compressed', []],
    ['data', ['write -P 6 99k 1k']],
  ])('a cluster that the disk ends in stays %s where its rest reads as zeroes', async (_, more) => {
    using folder = new TemporaryFolder()
    const [ours, theirs] = [folder.file('ours'), folder.file('theirs')]
    qemuImg('create', '-q', '-f', 'qcow2', '-o', 'extended_l2=on', ours, String(100 * KiB))
    qemuIo(ours, 'write -c -P 5 64k 36k', ...more)
    writeFileSync(theirs, readFileSync(ours))
    const store = image(folder, 'ours')
    const opened = await openDisk(store)
    await opened.disk.truncate(300 * KiB)
    await opened.close()
    writeFileSync(ours, store.bytes())
    expect(qemuImg('resize', '-q', theirs, '300k').code).toBe(0)
    const map = (path: string) => qemuImg('map', '--output=json', path).out
    expect(map(ours)).toBe(map(theirs))
    expect(map(ours)).toContain('"start": 65536, "length": 65536, "depth": 0, "present": true, "zero": false')
  })

  test.each(modes)('a compressed cluster that the disk ends in is still there after growth with %s', async (mode) => {
    using folder = new TemporaryFolder()
    const [ours, theirs] = [folder.file('ours'), folder.file('theirs')]
    qemuImg('create', '-q', '-f', 'qcow2', '-o', 'extended_l2=on', ours, String(100 * KiB))
    qemuIo(ours, 'write -c -P 5 64k 36k')
    writeFileSync(theirs, readFileSync(ours))
    const store = image(folder, 'ours')
    const opened = await openDisk(store)
    await opened.disk.truncate(300 * KiB, { preallocation: mode })
    const content = await readAll(opened.disk)
    await opened.close()
    const expected = new Uint8Array(300 * KiB)
    expected.fill(5, 64 * KiB, 100 * KiB)
    expectSameBytes(content, expected, 'ours')
    writeFileSync(ours, store.bytes())
    expect(qemuImg('check', ours)).toMatchObject({ code: 0, err: '' })
    // The reference takes the cluster for an empty one, and loses it (docs/differences.md).
    expect(qemuImg('resize', '-q', `--preallocation=${mode}`, theirs, '300k').code).toBe(0)
    expect(bytesOf(folder, 'theirs')[64 * KiB]).toBe(mode === 'off' ? 5 : 0)
  })

  test('refcounts become wider, the version cannot become older', async () => {
    using folder = new TemporaryFolder()
    prepare(folder, { from: MiB, backing: false })
    const before = bytesOf(folder, 'ours')
    const store = image(folder, 'ours')
    const opened = await openDisk(store)
    await expect(amendImage(opened.disk, { compat: '0.10' })).rejects.toThrow(
      'Cannot downgrade an image with incompatible features 0x10 set',
    )
    await amendImage(opened.disk, { refcount_bits: 64 })
    await opened.close()
    writeFileSync(folder.file('ours'), store.bytes())
    expect(qemuImg('check', folder.file('ours'))).toMatchObject({ code: 0, err: '' })
    expectSameBytes(bytesOf(folder, 'ours'), before, 'after the amendment')
  })

  test.each([
    ['1G', 2 ** 30],
    ['1000000', 1000000],
    ['3T', 3 * 2 ** 40],
  ] as const)('measure %s', async (text, size) => {
    for (const clusterSize of [16 * KiB, 64 * KiB, 2 * MiB]) {
      const options = ['-o', `extended_l2=on,cluster_size=${clusterSize}`, '--size', text]
      const theirs = JSON.parse(qemuImg('measure', '--output=json', '-O', 'qcow2', ...options).out)
      const source = { size: BigInt(Math.ceil(size / 512) * 512), dataRanges: async function* () {} }
      const ours = await measureQcow2({ extendedL2: true, clusterSize }, source as never)
      expect({ required: Number(ours.required), full: Number(ours.fullyAllocated) }).toEqual({
        required: theirs.required,
        full: theirs['fully-allocated'],
      })
    }
  })
})

describe('preallocated space', () => {
  test('shows the backing file until it is written', async () => {
    using folder = new TemporaryFolder()
    qemuImg('create', '-q', '-f', 'qcow2', folder.file('backing'), String(MiB))
    qemuIo(folder.file('backing'), 'write -P 7 0 1M')
    const over = ['-b', folder.file('backing'), '-F', 'qcow2']
    qemuImg('create', '-q', '-f', 'qcow2', '-o', 'extended_l2=on,preallocation=metadata', ...over, folder.file('ours'))
    const store = image(folder, 'ours')
    const length = store.length
    const { disk, close } = await openDisk(store, { backing: image(folder, 'backing') })
    expectSameBytes(await readAll(disk), filled(7, MiB), 'before')
    await disk.write(64 * KiB + 512, filled(1, KiB))
    const expected = filled(7, MiB)
    expected.fill(1, 64 * KiB + 512, 64 * KiB + 512 + KiB)
    expectSameBytes(await readAll(disk), expected, 'after')
    await close()
    expect([store.length, (await checkStore(store)).leaks]).toEqual([length, 0])
  })
})
