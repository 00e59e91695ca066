// Bitmaps by node and name: every message, nothing changed where one is thrown, and actions that are undone.
import { beforeEach, describe, expect, test } from 'vitest'
import {
  type BitmapAction,
  type BlockBackend,
  BlockError,
  changeDirtyBitmap,
  createDirtyBitmap,
  type DirtyBitmap,
  dirtyBitmapFacts,
  dirtyBitmapOf,
  lendDirtyBitmap,
  prepareBitmapAction,
} from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { filled } from '../../src/testing/patterns.ts'
import { chain, type World, world } from '../helpers/world.ts'

const KiB = 1024
let at: World
let disk: BlockBackend
beforeEach(async () => {
  at = world()
  await chain(at)
  disk = await at.graph.open('top')
  return () => at.graph.close()
})

const change = (action: BitmapAction): Promise<void> => changeDirtyBitmap(disk.root, action)
const add = (name: string, rest: { granularity?: number; disabled?: boolean; persistent?: boolean } = {}) =>
  change({ type: 'add', name, ...rest })
const bitmap = (name: string): DirtyBitmap => dirtyBitmapOf(disk.root, name)
const names = (): (string | undefined)[] => dirtyBitmapFacts(disk.root).map((facts) => facts.name)
const write = (offset: number): Promise<void> => disk.write(offset, filled(1, 512))
const refused = (action: BitmapAction, code: string, message: string) =>
  expect(change(action)).rejects.toMatchObject({ name: 'BlockError', code, message })

test('a bitmap without a name records from the moment it is made until it is removed', async () => {
  await write(0)
  const { bitmap, remove } = createDirtyBitmap(disk.root, 65536)
  expect([bitmap.length, bitmap.dirtyBytes]).toEqual([64 * KiB, 0])
  await write(0)
  expect(bitmap.dirtyBytes).toBe(64 * KiB)
  expect(dirtyBitmapFacts(disk.root)).toEqual([
    { recording: true, persistent: false, busy: false, granularity: 65536, count: 65536 },
  ])
  bitmap.clear()
  remove()
  await write(0)
  expect([bitmap.dirtyBytes, names()]).toEqual([0, []])
})

describe('adding', () => {
  test('the default granularity is the cluster size, here that of the toy format: 4 KiB', async () => {
    await add('a')
    await add('b', { granularity: 512, disabled: true })
    expect(dirtyBitmapFacts(disk.root)).toEqual([
      { name: 'b', recording: false, persistent: false, busy: false, granularity: 512, count: 0 },
      { name: 'a', recording: true, persistent: false, busy: false, granularity: 4 * KiB, count: 0 },
    ])
  })

  // The order in which the reference looks: name there at all, granularity, persistence, name free, name's length.
  test('what cannot be added', async () => {
    const long = 'x'.repeat(1024)
    const granularity = 'Granularity must be power of 2 and at least 512'
    await add('a')
    await refused({ type: 'add', name: '', granularity: 3 }, 'EINVAL', 'Bitmap name cannot be empty')
    await refused({ type: 'add', name: 'a', granularity: 3, persistent: true }, 'EINVAL', granularity)
    const node = disk.root.nodeName
    const unsupported = `Can't store persistent bitmaps to ${node}: Operation not supported`
    await refused({ type: 'add', name: 'a', persistent: true }, 'ENOTSUP', unsupported)
    await refused({ type: 'add', name: 'a' }, 'EEXIST', 'Bitmap already exists: a')
    await refused({ type: 'add', name: long }, 'ENAMETOOLONG', `Bitmap name too long: ${long}`)
    expect(names()).toEqual(['a'])
  })
})

describe('persistent bitmaps, of a layer that keeps a list of them', () => {
  const stored = new Set<string>()
  beforeEach(() => {
    stored.clear()
    Object.assign(graphNode(disk.root).layer, {
      bitmaps: {
        async checkNew(name: string) {
          if (name === 'v2') throw new BlockError('EINVAL', 'Cannot store dirty bitmaps in qcow2 v2 files')
          stored.add(name)
        },
        async remove(name: string) {
          if (name === 'broken') throw BlockError.fromErrno('EIO')
          stored.delete(name)
        },
      },
    })
  })

  test('the reason why not stands behind the name', async () => {
    const long = 'x'.repeat(1024)
    const node = disk.root.nodeName
    const head = (name: string): string => `Can't make bitmap '${name}' persistent in '${node}': `
    const tooLong = `${head(long)}Name length exceeds maximum (1023 characters)`
    await refused({ type: 'add', name: long, persistent: true }, 'EINVAL', tooLong)
    const version = `${head('v2')}Cannot store dirty bitmaps in qcow2 v2 files`
    await refused({ type: 'add', name: 'v2', persistent: true }, 'EINVAL', version)
    await add('a')
    await refused({ type: 'add', name: 'a', persistent: true }, 'EEXIST', 'Bitmap already exists: a')
  })

  test('removing takes them out of the image, unless that fails', async () => {
    await add('a', { persistent: true })
    await add('broken', { persistent: true })
    expect([dirtyBitmapFacts(disk.root)[0]?.persistent, stored.has('a')]).toEqual([true, true])
    await change({ type: 'remove', name: 'a' })
    await expect(change({ type: 'remove', name: 'broken' })).rejects.toMatchObject({ code: 'EIO' })
    expect([stored.has('a'), names(), bitmap('broken').busy]).toEqual([false, ['broken'], false])
  })
})

describe('states', () => {
  const inUse = "Bitmap 'a' is currently in use by another operation and cannot be used"
  beforeEach(async () => {
    await add('a', { granularity: 512 })
    await add('b', { granularity: 512 })
  })

  test('no bitmap of that name', async () => {
    for (const type of ['remove', 'clear', 'enable', 'disable'] as const) {
      await refused({ type, name: 'c' }, 'ENOENT', "Dirty bitmap 'c' not found")
    }
    await refused({ type: 'merge', name: 'c', sources: ['d'] }, 'ENOENT', "Dirty bitmap 'c' not found")
    await refused({ type: 'merge', name: 'a', sources: ['b', 'd'] }, 'ENOENT', "Dirty bitmap 'd' not found")
  })

  test('a busy one can be used for nothing', async () => {
    bitmap('a').busy = true
    for (const type of ['remove', 'clear', 'enable', 'disable'] as const) {
      await refused({ type, name: 'a' }, 'EBUSY', inUse)
    }
    await refused({ type: 'merge', name: 'a', sources: ['b'] }, 'EBUSY', inUse)
    await refused({ type: 'merge', name: 'b', sources: ['a'] }, 'EBUSY', inUse)
    expect(() => lendDirtyBitmap(disk.root, 'a')).toThrow(inUse)
  })

  test('a read-only one can be switched and merged from, and keeps the node from being written', async () => {
    bitmap('a').readOnly = true
    const message = "Bitmap 'a' is readonly and cannot be modified"
    await refused({ type: 'remove', name: 'a' }, 'EPERM', message)
    await refused({ type: 'clear', name: 'a' }, 'EPERM', message)
    await refused({ type: 'merge', name: 'a', sources: ['b'] }, 'EPERM', message)
    await change({ type: 'disable', name: 'a' })
    await change({ type: 'enable', name: 'a' })
    await change({ type: 'merge', name: 'b', sources: ['a'] })
    await expect(write(0)).rejects.toMatchObject({ code: 'EPERM' })
    await expect(disk.writeZeroes(0, 4096)).rejects.toMatchObject({ code: 'EPERM' })
    await expect(disk.discard(0, 4096)).rejects.toMatchObject({ code: 'EPERM' })
    await disk.read(0, new Uint8Array(512))
  })

  test('a merge looks for the source, then at the target, then at the source', async () => {
    bitmap('a').inconsistent = true
    bitmap('b').inconsistent = true
    const merge = (source: string) => change({ type: 'merge', name: 'a', sources: [source] })
    await expect(merge('none')).rejects.toThrow("Dirty bitmap 'none' not found")
    await expect(merge('b')).rejects.toThrow("Bitmap 'a' is inconsistent")
  })

  test('an inconsistent one can only be removed', async () => {
    bitmap('a').inconsistent = true
    const message = "Bitmap 'a' is inconsistent and cannot be used"
    for (const type of ['clear', 'enable', 'disable'] as const) await refused({ type, name: 'a' }, 'EINVAL', message)
    await refused({ type: 'merge', name: 'b', sources: ['a'] }, 'EINVAL', message)
    await change({ type: 'remove', name: 'a' })
    expect(names()).toEqual(['b'])
  })

  test('disks of different sizes', async () => {
    await at.graph.create('toy', 'small', { size: 4 * KiB })
    const small = await at.graph.open('small')
    await changeDirtyBitmap(small.root, { type: 'add', name: 's', granularity: 512 })
    const source = { node: small.root, name: 's' }
    await write(0)
    bitmap('a').clear()
    const message =
      "Bitmaps are of different sizes (destination size is 65536, source size is 4096) and can't be merged"
    await refused({ type: 'merge', name: 'a', sources: ['b', source] }, 'EINVAL', message)
    expect(bitmap('a').dirtyBytes).toBe(0)
    await small.close()
  })
})

describe('a transaction', () => {
  const prepare = (action: BitmapAction) => prepareBitmapAction(disk.root, action)
  const granules = (name: string): number[] => [0, 1, 2, 3].filter((i) => bitmap(name).isDirty(i * 4 * KiB))

  test.each(['commit', 'undo'] as const)('adding, then %s', async (end) => {
    const added = await prepare({ type: 'add', name: 'a' })
    added[end]()
    expect(names()).toEqual(end === 'commit' ? ['a'] : [])
  })

  test.each(['commit', 'undo'] as const)('removing, then %s: nobody can use it meanwhile', async (end) => {
    await add('a')
    const removed = await prepare({ type: 'remove', name: 'a' })
    await refused({ type: 'add', name: 'a' }, 'EEXIST', 'Bitmap already exists: a')
    const inUse = "Bitmap 'a' is currently in use by another operation and cannot be used"
    await refused({ type: 'clear', name: 'a' }, 'EBUSY', inUse)
    removed[end]()
    expect(names()).toEqual(end === 'commit' ? [] : ['a'])
    if (end === 'undo') await change({ type: 'clear', name: 'a' })
  })

  test.each(['commit', 'undo'] as const)('clearing, then %s: what is written meanwhile stays recorded', async (end) => {
    await add('a', { granularity: 4 * KiB })
    await write(0)
    const cleared = await prepare({ type: 'clear', name: 'a' })
    await write(4 * KiB)
    cleared[end]()
    await write(8 * KiB)
    expect(granules('a')).toEqual(end === 'commit' ? [1, 2] : [0, 1, 2])
  })

  test.each(['commit', 'undo'] as const)('merging, then %s', async (end) => {
    await add('a', { granularity: 4 * KiB })
    await add('b', { granularity: 4 * KiB, disabled: true })
    bitmap('b').markDirty(0, 1)
    await change({ type: 'enable', name: 'b' })
    bitmap('b').markDirty(8 * KiB, 1)
    await write(0)
    const merged = await prepare({ type: 'merge', name: 'a', sources: ['b', { node: disk.root, name: 'a' }] })
    expect(granules('a')).toEqual([0, 2])
    await write(4 * KiB)
    merged[end]()
    expect(granules('a')).toEqual(end === 'commit' ? [0, 1, 2] : [0, 1])
  })

  // The reference's process dies of the first, and of undoing the second (docs/differences.md).
  test('merging nothing changes nothing; clearing and merging are undone together', async () => {
    await add('a', { granularity: 4 * KiB })
    await add('b', { granularity: 4 * KiB, disabled: true })
    await write(0)
    await change({ type: 'merge', name: 'a', sources: [] })
    const cleared = await prepare({ type: 'clear', name: 'a' })
    await change({ type: 'enable', name: 'b' })
    await write(4 * KiB)
    const merged = await prepare({ type: 'merge', name: 'a', sources: ['b'] })
    await write(8 * KiB)
    merged.undo()
    cleared.undo()
    expect(granules('a')).toEqual([0, 1, 2])
  })

  test.each(['enable', 'disable'] as const)('%s, undone', async (type) => {
    for (const disabled of [true, false]) {
      await add('a', { disabled })
      const switched = await prepare({ type, name: 'a' })
      expect(bitmap('a').enabled).toBe(type === 'enable')
      switched.undo()
      expect(bitmap('a').enabled).toBe(!disabled)
      await change({ type: 'remove', name: 'a' })
    }
  })
})

test.each(['abdicate', 'reclaim'] as const)('a bitmap lent to a job: %s', async (end) => {
  await add('a', { granularity: 4 * KiB })
  await write(0)
  const lent = lendDirtyBitmap(disk.root, 'a')
  await write(4 * KiB)
  expect(dirtyBitmapFacts(disk.root)).toMatchObject([
    { recording: true, busy: false, count: 4 * KiB },
    { name: 'a', recording: true, busy: true, count: 4 * KiB },
  ])
  expect(lent.bitmap.isDirty(0)).toBe(true)
  lent[end]()
  await write(8 * KiB)
  const { dirtyBytes } = bitmap('a')
  expect([names(), dirtyBytes, bitmap('a').isDirty(0)]).toEqual([
    ['a'],
    end === 'abdicate' ? 8 * KiB : 12 * KiB,
    end === 'reclaim',
  ])
})
