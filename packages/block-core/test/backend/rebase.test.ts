// Proves that a rebase never shows the guest another byte, copies no more than it must, and says what went wrong in the
// reference's words, with the old record still there.

import { beforeEach, describe, expect, test } from 'vitest'
import { type RebaseOptions, rebaseImage } from '../../src/backend/rebase.ts'
import { BlockError } from '../../src/errors.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { random, seeds } from '../../src/testing/seed.ts'
import { brokenStore } from '../helpers/broken-store.ts'
import { type World, world } from '../helpers/world.ts'

const KiB = 1024
let at: World
beforeEach(async () => {
  at = world()
  await image('base', 64, undefined, [0, 64, 1])
  await image('mid', 48, 'base', [8, 8, 2], [40, 4, 3])
  await image('top', 64, 'mid', [4, 4, 4])
  await image('other', 64, undefined, [0, 32, 1], [32, 8, 5])
  await image('short', 16, undefined, [0, 16, 6])
  return () => at.graph.close()
})

/** Offsets and lengths in KiB. */
async function image(
  name: string,
  size: number,
  backing: string | undefined,
  ...writes: readonly (readonly [offset: number, bytes: number, value: number])[]
): Promise<void> {
  const over = backing === undefined ? {} : { backing: { filename: backing, format: 'toy' } }
  await at.graph.create('toy', name, { size: size * KiB, ...over })
  await using disk = await at.graph.open(name)
  for (const [offset, bytes, value] of writes) await disk.write(offset * KiB, new Uint8Array(bytes * KiB).fill(value))
}

async function content(name: string): Promise<Uint8Array> {
  await using disk = await at.graph.open(name, { readOnly: true })
  const bytes = new Uint8Array(disk.length)
  await disk.read(0, bytes)
  return bytes
}

/** In KiB. */
async function allocated(name: string): Promise<[number, number][]> {
  await using disk = await at.graph.open(name, { readOnly: true })
  const found: [number, number][] = []
  for await (const { start, bytes, depth, present } of disk.map()) {
    const last = found.at(-1)
    if (depth > 0 || !present) continue
    if (last !== undefined && last[0] + last[1] === start / KiB) last[1] += bytes / KiB
    else found.push([start / KiB, bytes / KiB])
  }
  return found
}

async function rebase(name: string, options: RebaseOptions): Promise<void> {
  await using disk = await at.graph.open(name, { noBacking: options.unsafe === true })
  await rebaseImage(at.graph, disk, options)
}

const toy = (filename: string) => ({ filename, format: 'toy' })

test.each([
  [
    'an image of its chain',
    'base',
    [
      [4, 12],
      [40, 4],
      [48, 16],
    ],
  ],
  ['the one it has', 'mid', [[4, 4]]],
  [
    'a stranger',
    'other',
    [
      [4, 12],
      [32, 16],
    ],
  ],
  ['a shorter one', 'short', [[0, 48]]],
] as const)('%s', async (_, filename, copied) => {
  const before = await content('top')
  const steps: number[] = []
  await rebase('top', { backing: toy(filename), onProgress: ({ current, total }) => steps.push(current / total) })
  expect(await content('top')).toEqual(before)
  expect(await allocated('top')).toEqual(copied)
  expect(steps.toSorted((a, b) => a - b)).toEqual(steps)
  await using disk = await at.graph.open('top', { readOnly: true })
  expect(disk.root.backing?.filename).toBe(filename)
})

test('onto nothing, and from nothing onto something', async () => {
  const before = await content('top')
  await rebase('top', {})
  expect(await content('top')).toEqual(before)
  at.files.delete('mid')
  await rebase('top', { backing: toy('other') })
  expect(await content('top')).toEqual(before)
})

test('unsafe: the record and nothing else, whatever there is', async () => {
  at.files.delete('mid')
  await rebase('top', { backing: toy('short'), unsafe: true })
  expect(await allocated('top')).toEqual([[4, 4]])
  await rebase('top', { backing: toy('missing'), unsafe: true })
  await rebase('top', { unsafe: true })
  await using disk = await at.graph.open('top', { readOnly: true })
  expect(disk.root.backing).toBeUndefined()
})

test.each(seeds(20))('random images, seed %i', async (seed) => {
  const { below } = random(seed)
  const size = () => 4 * (1 + below(24))
  const writes = (kib: number) =>
    Array.from({ length: below(6) }, () => {
      const offset = 4 * below(kib / 4)
      return [offset, Math.min(kib - offset, 4 * (1 + below(4))), below(3)] as const
    })
  const sizes = [size(), size(), size(), size()] as const
  await image('a', sizes[0], undefined, ...writes(sizes[0]))
  await image('b', sizes[1], 'a', ...writes(sizes[1]))
  await image('c', sizes[2], 'b', ...writes(sizes[2]))
  await image('d', sizes[3], undefined, ...writes(sizes[3]))
  const before = await content('c')
  for (const name of ['d', 'b', 'a', undefined, 'a', 'd']) {
    await rebase('c', name === undefined ? {} : { backing: toy(name) })
    expect(await content('c')).toEqual(before)
  }
})

describe('what goes wrong', () => {
  const failure = async (name: string, options: RebaseOptions): Promise<string> => {
    try {
      await rebase(name, options)
    } catch (error) {
      if (error instanceof BlockError) return `${error.code} ${error.message}`
      throw error
    }
    return 'nothing'
  }

  test.each([
    [{ backing: { filename: 'base', format: 'foo' } }, "EINVAL Invalid format name: 'foo'"],
    [
      { backing: { filename: 'base' } },
      "EINVAL Could not change the backing file to 'base': backing format must be specified",
    ],
    [
      { backing: toy('gone') },
      "ENOENT Could not open new backing file 'gone': Could not open 'gone': No such file or directory",
    ],
    [{ backing: toy('other'), compress: true }, 'ENOTSUP Compression not supported for this file format'],
  ])('%o', async (options, message) => {
    expect(await failure('top', options)).toBe(message)
    await using disk = await at.graph.open('top', { readOnly: true })
    expect(disk.root.backing?.filename).toBe('mid')
  })

  test('an image that has no name of its own', async () => {
    await using disk = await at.graph.open(
      new Map([
        ['driver', 'toy'],
        ['file.filename', 'top'],
        ['colour', 'red'],
      ]),
    )
    await expect(rebaseImage(at.graph, disk, { backing: toy('other') })).rejects.toThrow(
      /^Could not resolve backing filename: Cannot use relative backing file names for 'json:/,
    )
  })

  test('a format that records none', async () => {
    at.files.set('plain', new MemoryStore(64 * KiB))
    await using disk = await at.graph.open('plain', { format: 'raw' })
    await expect(rebaseImage(at.graph, disk, {})).rejects.toMatchObject({
      code: 'ENOTSUP',
      message: "Could not change the backing file to '': Operation not supported",
    })
  })

  test.each([
    ['mid', 'error while reading from old backing file'],
    ['other', 'error while reading from new backing file'],
  ])('%s cannot be read', async (name, message) => {
    const store = at.files.get(name)!
    await using disk = await at.graph.open('top')
    const header = new MemoryStore(store.bytes())
    store.read = (offset, into) => {
      if (offset >= 4096) throw BlockError.fromErrno('EIO')
      header.read(offset, into)
    }
    await expect(rebaseImage(at.graph, disk, { backing: toy('other') })).rejects.toMatchObject({ code: 'EIO', message })
  })

  test('the image takes no more writes', async () => {
    const store = brokenStore(at, 'top')
    await using disk = await at.graph.open('top')
    store.broken = true
    await expect(rebaseImage(at.graph, disk, { backing: toy('other') })).rejects.toMatchObject({
      code: 'EIO',
      message: 'Error while writing to COW image: Input/output error',
    })
    store.broken = false
  })

  test('an image that cannot be asked', async () => {
    await using disk = await at.graph.open('top')
    const { mapping } = (disk.root as unknown as { layer: { mapping: { blockStatus: unknown } } }).layer
    mapping.blockStatus = () => Promise.reject(BlockError.fromErrno('EIO'))
    await expect(rebaseImage(at.graph, disk, {})).rejects.toMatchObject({
      message: 'error while reading image metadata: Input/output error',
    })
  })

  test('no room for the name', async () => {
    await using disk = await at.graph.open('top')
    const { maintenance } = (disk.root as unknown as { layer: { maintenance: { changeBacking: unknown } } }).layer
    maintenance.changeBacking = () => Promise.reject(BlockError.fromErrno('ENOSPC'))
    await expect(rebaseImage(at.graph, disk, { backing: toy('other'), unsafe: true })).rejects.toMatchObject({
      code: 'ENOSPC',
      message: "Could not change the backing file to 'other': No space left in the file header",
    })
  })

  test('aborted', async () => {
    const stop = new AbortController()
    await using disk = await at.graph.open('top')
    const onProgress = () => stop.abort(new Error('enough'))
    await expect(
      rebaseImage(at.graph, disk, { backing: toy('short'), signal: stop.signal, onProgress }),
    ).rejects.toThrow('enough')
    expect(disk.root.backing?.filename).toBe('mid')
  })
})
