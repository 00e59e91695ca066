// Proves that bitmaps are copied with all that they are, that those nobody can trust are refused or left out by name, and
// that a copy which fails leaves no empty bitmap behind.

import { beforeEach, expect, test } from 'vitest'
import { type BlockBackend, changeDirtyBitmap, dirtyBitmapFacts, dirtyBitmapOf } from '../../src/index.ts'
import { checkBitmapCopy, copyBitmaps, keepsBitmaps } from '../../src/graph/copy-bitmaps.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { type World, world } from '../helpers/world.ts'

const KiB = 1024
let at: World
let source: BlockBackend
let target: BlockBackend

beforeEach(async () => {
  at = world()
  source = await keeping('source', 64 * KiB)
  target = await keeping('target', 64 * KiB)
  return () => at.graph.close()
})

/** An image whose layer keeps bitmaps. */
async function keeping(name: string, size: number): Promise<BlockBackend> {
  await at.graph.create('toy', name, { size })
  const disk = await at.graph.open(name)
  Object.assign(graphNode(disk.root).layer, { bitmaps: { checkNew: async () => {}, remove: async () => {} } })
  return disk
}

const add = (name: string, rest: { granularity?: number; disabled?: boolean; persistent?: boolean } = {}) =>
  changeDirtyBitmap(source.root, { type: 'add', name, persistent: true, ...rest })

test('names, granularities, bits, and whether they record', async () => {
  await add('a', { granularity: 8192 })
  await add('b', { disabled: true })
  await add('passing', { persistent: false })
  await source.write(16 * KiB, new Uint8Array(4096).fill(1))
  checkBitmapCopy(source.root)
  await copyBitmaps(source.root, target.root)
  const facts = (disk: BlockBackend) => dirtyBitmapFacts(disk.root).filter(({ persistent }) => persistent)
  expect(facts(target).toReversed()).toEqual(facts(source))
  expect(facts(target).map(({ name, count }) => [name, count])).toEqual([
    ['a', 8192],
    ['b', 0],
  ])
})

test('one that nobody can trust', async () => {
  await add('good')
  await add('bad')
  dirtyBitmapOf(source.root, 'bad').inconsistent = true
  expect(() => checkBitmapCopy(source.root)).toThrow("Cannot copy inconsistent bitmap 'bad'")
  const skipped: string[] = []
  const options = { onSkipped: (name: string) => void skipped.push(name) }
  checkBitmapCopy(source.root, options)
  await copyBitmaps(source.root, target.root, options)
  expect(skipped).toEqual(['bad'])
  expect(dirtyBitmapFacts(target.root).map(({ name }) => name)).toEqual(['good'])
})

test('images that keep none', async () => {
  await at.graph.create('toy', 'plain', { size: 4 * KiB })
  const plain = await at.graph.open('plain')
  expect([keepsBitmaps(source.root), keepsBitmaps(plain.root)]).toEqual([true, false])
  expect(() => checkBitmapCopy(plain.root)).toThrow('Source lacks bitmap support')
})

test('a name that is taken, and a disk of another length', async () => {
  await add('a')
  await copyBitmaps(source.root, target.root)
  await expect(copyBitmaps(source.root, target.root)).rejects.toMatchObject({
    message: 'Failed to create bitmap a: Bitmap already exists: a',
  })
  const longer = await keeping('longer', 128 * KiB)
  await expect(copyBitmaps(source.root, longer.root)).rejects.toThrow(
    /^Failed to populate bitmap a: Bitmaps are of different sizes/,
  )
  expect(dirtyBitmapFacts(longer.root)).toEqual([])
})
