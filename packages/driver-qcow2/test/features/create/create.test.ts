/** New images are the reference's, byte for byte; what it refuses is refused in its words. */

import { readFileSync, rmSync } from 'node:fs'
import { BlockError, type CreateContext } from '@blocklayer/block-core/driver'
import { afterAll, describe, expect, test } from 'vitest'
import { qcow2Create } from '../../../src/features/create/create.ts'
import type { Qcow2CreateOptions } from '../../../src/features/create/options.ts'
import { readU64, viewOf } from '../../../src/format/bytes.ts'
import { decodeHeader, headerGeometry } from '../../../src/format/header.ts'
import { getRefcount } from '../../../src/format/refcount-bits.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from '../../helpers/reference.ts'

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

async function create(
  size: number | bigint,
  options: Qcow2CreateOptions = {},
  backing?: CreateContext['backing'],
): Promise<MemoryChild> {
  const file = new MemoryChild()
  const context: CreateContext = {
    filename: 'x.qcow2',
    size: BigInt(size),
    backing,
    file: async () => file,
    otherFile: async (name) => new MemoryChild(undefined, name),
    makeFile: () => expect.fail('an image is more than its file'),
    signal: undefined,
    warn: (message) => expect.fail(message),
  }
  await qcow2Create.run(context, options)
  return file
}

/** Options as `-o` takes them. */
function asText(options: Qcow2CreateOptions): string {
  return Object.entries(qcow2Create.options)
    .flatMap(([key, spec]) => {
      const value = options[key as keyof Qcow2CreateOptions]
      return value === undefined ? [] : [`${spec.name}=${value === true ? 'on' : value === false ? 'off' : value}`]
    })
    .join(',')
}

/**
 * Blanks what no refcount covers, in both files: the reference leaves a refcount table that it has outgrown where it
 * was, and we never write it.
 */
function blankFree(ours: Uint8Array, theirs: Uint8Array): void {
  const header = decodeHeader(ours)
  const { clusterSize, refblockEntries, refcountOrder } = headerGeometry(header)
  for (let cluster = 0; cluster * clusterSize < ours.length; cluster++) {
    const entry = header.refcountTableOffset + Math.floor(cluster / refblockEntries) * 8
    const block = readU64(viewOf(ours), entry)
    const counts = ours.subarray(block, block + clusterSize)
    if (block !== 0 && getRefcount(counts, refcountOrder, cluster % refblockEntries) !== 0) continue
    for (const file of [ours, theirs]) file.fill(0, cluster * clusterSize, (cluster + 1) * clusterSize)
  }
}

function sameBytes(ours: Uint8Array, theirs: Uint8Array): string {
  blankFree(ours, theirs)
  if (ours.length !== theirs.length) return `lengths ${ours.length} and ${theirs.length}`
  if (Buffer.compare(ours, theirs) === 0) return 'same'
  const at = ours.findIndex((byte, index) => byte !== theirs[index])
  return `first difference at ${at}: ${ours[at]} and ${theirs[at]}`
}

describeWithReference('the reference makes the same file', () => {
  const folder = new TemporaryFolder()
  afterAll(() => folder[Symbol.dispose]())

  async function compare(size: number, options: Qcow2CreateOptions, backing?: CreateContext['backing']) {
    const path = folder.file('x.qcow2')
    const text = asText(options)
    const extra = backing === undefined ? [] : ['-u', '-b', backing.filename, '-F', backing.format!]
    const args = ['create', '-q', '-f', 'qcow2', ...extra, ...(text === '' ? [] : ['-o', text]), path, String(size)]
    expect(qemuImg(...args)).toEqual({ code: 0, out: '', err: '' })
    const ours = await create(size, options, backing)
    expect(sameBytes(ours.content, readFileSync(path))).toBe('same')
    rmSync(path)
  }

  const sizes = [0, 512, MiB, 64 * MiB + 512, 3 * GiB, 1024 * GiB]
  const clusterSizes = [512, 4 * KiB, 64 * KiB, 2 * MiB]
  const refcountWidths = [1, 8, 16, 64]
  for (const clusterSize of clusterSizes) {
    for (const refcountBits of refcountWidths) {
      test(`clusters of ${clusterSize}, refcounts of ${refcountBits} bits`, async () => {
        for (const size of sizes) {
          if (size / clusterSize ** 2 > 4194304 / 8) continue
          await compare(size, { clusterSize, refcountBits })
        }
      })
    }
  }

  test.each([2, 4, 32])('refcounts of %i bits', async (refcountBits) => {
    await compare(64 * MiB, { refcountBits })
    await compare(4 * GiB, { refcountBits, clusterSize: 512 })
  })

  test.each(['0.10', 'v2', '1.1', 'v3'])('compat=%s', async (compat) => {
    for (const clusterSize of clusterSizes) await compare(MiB, { compat, clusterSize })
    await compare(MiB, { compat }, { filename: 'base', format: 'raw' })
  })

  test('backing files', async () => {
    for (const clusterSize of clusterSizes) {
      await compare(MiB, { clusterSize }, { filename: 'base', format: 'qcow2' })
    }
    await compare(MiB, {}, { filename: 'b'.repeat(1023), format: 'raw' })
    await compare(MiB, { clusterSize: 512 }, { filename: 'b'.repeat(376), format: 'raw' })
    await compare(MiB, {}, { filename: 'größe/ß', format: 'raw' })
  })

  test.each([16 * KiB, 64 * KiB, 2 * MiB])('extended L2 entries, clusters of %i', async (clusterSize) => {
    const made = { clusterSize, extendedL2: true }
    for (const size of [0, 512, MiB, 64 * MiB + 512, 3 * GiB]) {
      await compare(size, made)
      await compare(size, { ...made, refcountBits: 1, lazyRefcounts: true })
    }
    for (const preallocation of ['metadata', 'falloc', 'full']) {
      for (const size of [0, 512, MiB, 37 * MiB + 512]) await compare(size, { ...made, preallocation })
    }
    // Only what leaves the backing file visible may be preallocated over one.
    for (const preallocation of ['off', 'metadata', 'falloc', 'full']) {
      await compare(MiB, { ...made, preallocation }, { filename: 'base', format: 'raw' })
    }
  })

  test('lazy refcounts', () => compare(MiB, { lazyRefcounts: true }))

  test('zstd compression', async () => {
    for (const clusterSize of clusterSizes) {
      await compare(MiB, { clusterSize, compressionType: 'zstd' })
      await compare(MiB, { clusterSize, compressionType: 'zlib' })
    }
    await compare(MiB, { compressionType: 'zstd', preallocation: 'metadata', lazyRefcounts: true })
    await compare(MiB, { compressionType: 'zstd' }, { filename: 'base', format: 'raw' })
  })

  test.each(['off', 'metadata', 'falloc', 'full'])('a data file, preallocation=%s', async (preallocation) => {
    const dataFile = folder.file('data')
    for (const dataFileRaw of [false, true]) {
      for (const clusterSize of clusterSizes)
        await compare(MiB + 512, { dataFile, dataFileRaw, clusterSize, preallocation })
      await compare(20 * MiB, { dataFile, dataFileRaw, clusterSize: 512, refcountBits: 64, preallocation })
      await compare(0, { dataFile, dataFileRaw, preallocation })
    }
    if (preallocation === 'off') await compare(MiB, { dataFile }, { filename: 'base', format: 'raw' })
  })

  // 122 MiB is the last size at which 64-bit refcounts of 512-byte clusters fit one block.
  test('refcount blocks that must be added on the way', async () => {
    for (const size of [121 * MiB, 122 * MiB, 123 * MiB, 124 * MiB, 128 * MiB, 240 * MiB, 256 * MiB]) {
      await compare(size, { clusterSize: 512, refcountBits: 64 })
    }
    for (const size of [500 * MiB, 506 * MiB, 507 * MiB, GiB]) await compare(size, { clusterSize: 512 })
  })

  // An L1 table of thousands of clusters needs more refcount blocks than the first table has room for.
  test('a refcount table that must grow on the way', async () => {
    for (const size of [7 * GiB, 8 * GiB, 9 * GiB, 16 * GiB]) {
      await compare(size, { clusterSize: 512, refcountBits: 64 })
    }
    for (const size of [32 * GiB, 33 * GiB]) await compare(size, { clusterSize: 512 })
  })

  test.each(['metadata', 'falloc', 'full'])('preallocation=%s', async (preallocation) => {
    await compare(0, { preallocation })
    await compare(512, { preallocation })
    await compare(MiB, { preallocation })
    await compare(MiB + 512, { preallocation, compat: '0.10' })
    for (const refcountBits of refcountWidths) {
      await compare(128 * KiB, { preallocation, clusterSize: 512, refcountBits })
      await compare(5 * MiB + 512, { preallocation, clusterSize: 512, refcountBits })
      await compare(9 * MiB, { preallocation, clusterSize: 4096, refcountBits })
    }
    await compare(10 * MiB, { preallocation, clusterSize: 8192, refcountBits: 64 })
  })
})

describe('refusals', () => {
  test.each([
    [2n ** 63n, 'Could not resize image: Image size cannot be negative'],
    [9223372036854775296n, 'Could not resize image: offset(9223372036854775296) exceeds maximum(9223372035781033984)'],
    [2n ** 60n, "The image size is too large for file format 'qcow2' (try using a larger cluster size)"],
  ])('%i bytes', async (size, message) => {
    await expect(create(size)).rejects.toThrow(message)
  })

  test('a data file whose name does not fit', async () => {
    await expect(create(MiB, { clusterSize: 512, dataFile: 'd'.repeat(400) })).rejects.toThrow(
      'Could not update qcow2 header: No space left on device',
    )
  })

  test('backing file names', async () => {
    const long = { filename: 'b'.repeat(1024), format: 'raw' }
    await expect(create(MiB, {}, long)).rejects.toThrow(
      `Could not assign backing file '${long.filename}' with format 'raw': Invalid argument`,
    )
    const tight = { filename: 'b'.repeat(377), format: 'raw' }
    await expect(create(MiB, { clusterSize: 512 }, tight)).rejects.toThrow(
      `Could not assign backing file '${tight.filename}' with format 'raw': No space left on device`,
    )
  })
})

// Whoever finds the file after a crash must not take half an image for a whole one.
test('the header is written last, after a flush', async () => {
  const { log } = await create(MiB)
  expect(log.slice(-3).map(({ kind, offset }) => [kind, offset])).toEqual([
    ['flush', 0],
    ['write', 0],
    ['flush', 0],
  ])
  expect(log.slice(0, -3).every(({ offset }) => offset > 0)).toBe(true)
})

test.each(['off', 'metadata', 'falloc', 'full'] as const)(
  'how far %s is, is told to its end',
  async (preallocation) => {
    const told: { current: number; total: number }[] = []
    const context: CreateContext = {
      filename: 'x',
      size: BigInt(GiB),
      backing: undefined,
      file: async () => new MemoryChild(),
      otherFile: async () => expect.fail('there is no data file'),
      makeFile: async () => undefined,
      signal: undefined,
      onProgress: (progress) => void told.push(progress),
      warn: () => undefined,
    }
    await qcow2Create.run(context, { preallocation, clusterSize: 2 * MiB })
    const { current, total } = told.at(-1) ?? { current: 0, total: 1 }
    expect(current).toBe(total)
    // The space counts where it takes time.
    if (preallocation === 'off' || preallocation === 'metadata') expect(total).toBeLessThan(16 * MiB)
    else expect(total).toBeGreaterThan(GiB)
    expect(told.every((progress, at) => progress.current > (told[at - 1]?.current ?? 0))).toBe(true)
  },
)

describe('what cannot be written is named as by the reference', () => {
  const words = async (options: Qcow2CreateOptions, fails: (file: MemoryChild) => void): Promise<string> => {
    const file = new MemoryChild()
    fails(file)
    const context: CreateContext = {
      filename: 'x',
      size: BigInt(MiB),
      backing: undefined,
      file: async () => file,
      otherFile: async () => expect.fail('there is no data file'),
      makeFile: async () => undefined,
      signal: undefined,
      warn: () => undefined,
    }
    return await qcow2Create.run(context, options).then(
      () => 'done',
      (error: Error) => error.message,
    )
  }
  const full = 'No space left on device'

  // The places of an image of 64 KiB clusters: header, refcount table, refcount block, L1 table, and with metadata an L2 table.
  test.each([
    [0, 'Could not write qcow2 header'],
    [1, 'Could not write refcount table'],
    [2, 'Could not write refcount table'],
    [3, 'Could not resize image: Failed to grow the L1 table'],
    [4, 'Could not resize image: Allocating clusters failed'],
  ])('cluster %i: %s', async (cluster, text) => {
    const failing = (file: MemoryChild): void => {
      file.fail = ({ kind, offset }) => (kind === 'write' && offset === cluster * 64 * KiB ? 'ENOSPC' : undefined)
    }
    expect(await words({ preallocation: 'metadata' }, failing)).toBe(`${text}: ${full}`)
  })

  test('the space for data', async () => {
    const failing = (file: MemoryChild): void => {
      file.truncate = async () => {
        throw new BlockError('ENOSPC', `Could not preallocate new data: ${full}`)
      }
    }
    expect(await words({ preallocation: 'falloc' }, failing)).toBe(
      `Could not resize image: Failed to resize underlying file: Could not preallocate new data: ${full}`,
    )
  })
})

test('a creation can be stopped', async () => {
  const reason = new Error('enough')
  const context: CreateContext = {
    filename: 'x',
    size: 1024n,
    backing: undefined,
    file: async () => new MemoryChild(),
    otherFile: async () => expect.fail('there is no data file'),
    makeFile: async () => undefined,
    signal: AbortSignal.abort(reason),
    warn: () => undefined,
  }
  await expect(qcow2Create.run(context, {})).rejects.toBe(reason)
})
