/** Proves that the sizes are the reference's, and that images really stay within them. */

import { createBlockGraph, measureImage } from '@blocklayer/block-core'
import { fileDriver } from '@blocklayer/driver-file'
import { rawDriver } from '@blocklayer/driver-raw'
import { expect, test } from 'vitest'
import { measureQcow2 } from '../../../src/features/create/measure.ts'
import { qcow2Driver } from '../../../src/index.ts'
import { failureOf } from '../../helpers/open-on.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../../helpers/reference.ts'

const drivers = [qcow2Driver, rawDriver, fileDriver]

const source = (size: bigint, ...ranges: [start: number, bytes: number][]) => ({
  size,
  async *dataRanges() {
    for (const [start, bytes] of ranges) yield { start, bytes }
  },
})

test('clusters count once, whatever touches them', async () => {
  const empty = await measureQcow2({}, source(2n ** 20n))
  const some = await measureQcow2({}, source(2n ** 20n, [0, 512], [1024, 512], [65535, 2], [200000, 1]))
  expect(some.required - empty.required).toBe(3n * 65536n)
  expect(some.fullyAllocated).toBe(empty.fullyAllocated)
})

test('what no image can hold', async () => {
  expect(await failureOf(() => measureQcow2({}, source(2n ** 63n - 1n)))).toBe(
    'EINVAL The image size is too large (try using a larger cluster size)',
  )
})

describeWithReference('the reference', () => {
  const optionLists = [
    {},
    { preallocation: 'metadata' },
    { preallocation: 'full' },
    { cluster_size: 512, refcount_bits: 64 },
    { cluster_size: 2097152, refcount_bits: 1 },
    { compat: '0.10' },
    { compression_type: 'zstd' },
  ]
  const sizes = [0, 1, 512, 65537, 2 ** 20, 2 ** 30, 5 * 2 ** 40]

  test.each(optionLists)('an empty image with %o', async (options) => {
    const list = Object.entries(options).map(([name, value]) => `${name}=${value}`)
    const given = list.length === 0 ? [] : ['-o', list.join(',')]
    for (const size of sizes) {
      const theirs = qemuImg('measure', '--output=json', '-O', 'qcow2', ...given, '--size', String(size))
      if (theirs.code !== 0) {
        const failure = await failureOf(() => measureImage(drivers, 'qcow2', { size, options }))
        expect(`qemu-img: ${failure.replace('EINVAL ', '')}\n`).toBe(theirs.err)
        continue
      }
      const { required, 'fully-allocated': full } = JSON.parse(theirs.out) as {
        required: number
        'fully-allocated': number
      }
      const ours = await measureImage(drivers, 'qcow2', { size, options })
      expect([size, ours.required, ours.fullyAllocated]).toEqual([size, BigInt(required), BigInt(full)])
    }
  })

  test('a version 2 image has no bitmaps to bring along', async () => {
    using folder = new TemporaryFolder()
    const path = folder.file('image')
    qemuImg('create', '-f', 'qcow2', '-o', 'compat=0.10', path, '1M')
    await using graph = createBlockGraph({ drivers, implicitOpen: 'deny' })
    await using disk = await graph.open(path, { format: 'qcow2', readOnly: true })
    expect(await measureImage(graph.drivers, 'qcow2', { source: disk })).not.toHaveProperty('bitmaps')
    expect(qemuImg('measure', '-O', 'qcow2', path).out).not.toMatch('bitmaps')
  })

  test('an image with data and bitmaps', async () => {
    using folder = new TemporaryFolder()
    const path = folder.file('image')
    qemuImg('create', '-f', 'qcow2', path, '1M')
    qemuIo(path, 'write 0 1k', 'write 200k 100k', 'write -z 500k 10k')
    qemuImg('bitmap', '--add', path, 'b0')
    qemuImg('bitmap', '--add', '-g', '512', path, 'b1')
    await using graph = createBlockGraph({ drivers, implicitOpen: 'deny' })
    await using disk = await graph.open(path, { format: 'qcow2', readOnly: true })
    for (const [format, options] of [
      ['qcow2', {}],
      ['qcow2', { cluster_size: 512 }],
      ['qcow2', { cluster_size: 2097152 }],
      ['qcow2', { compat: '0.10' }],
      ['qcow2', { backing_file: 'base' }],
      ['raw', {}],
    ] as const) {
      const list = Object.entries(options).map(([name, value]) => `${name}=${value}`)
      const given = list.length === 0 ? [] : ['-o', list.join(',')]
      const theirs = JSON.parse(qemuImg('measure', '--output=json', '-O', format, ...given, path).out)
      const { required, fullyAllocated, bitmaps } = await measureImage(graph.drivers, format, { source: disk, options })
      expect([format, options, Number(required), Number(fullyAllocated), Number(bitmaps ?? -1)]).toEqual([
        format,
        options,
        theirs.required,
        theirs['fully-allocated'],
        theirs.bitmaps ?? -1,
      ])
    }
  })
})
