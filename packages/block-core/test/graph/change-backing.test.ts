// Recording another backing file: what is refused, what the image and the open node say afterwards, and what stays.
import { beforeEach, describe, expect, test } from 'vitest'
import { BlockError } from '../../src/errors.ts'
import { backingOverridden } from '../../src/graph/backing-chain.ts'
import { changeBackingFile, rewriteBacking, whileWritable } from '../../src/graph/change-backing.ts'
import { reopenReadOnly } from '../../src/graph/operations.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { brokenStore } from '../helpers/broken-store.ts'
import { openSpec } from '../helpers/open-recorder.ts'
import { chain, failure, type World, world } from '../helpers/world.ts'

let at: World
beforeEach(async () => {
  at = world()
  await chain(at)
  return () => at.graph.close()
})

test('the image records it, the open chain stays', async () => {
  const disk = await at.graph.open('top')
  const { backing } = disk.root
  await changeBackingFile(disk.root, { filename: 'base', format: 'toy', requireFormat: true })
  expect(disk.root.backingReference).toEqual({ filename: 'base', format: 'toy' })
  expect(disk.root.backing).toBe(backing)
  await disk.close()
  const again = await at.graph.open('top', { readOnly: true })
  expect(again.root.backing?.filename).toBe('base')
})

test('none', async () => {
  const disk = await at.graph.open('top')
  await changeBackingFile(disk.root, {})
  expect([disk.root.backingReference, backingOverridden(graphNode(disk.root))]).toEqual([undefined, true])
})

// What the node says of itself follows: it is plain as long as opening its name gives the same tree.
test.each([
  ['./mid', false],
  ['file:mid', false],
  ['base', true],
])('recording %s over mid: overridden %s', async (filename, overridden) => {
  const disk = await at.graph.open('top')
  if (filename === './mid') await changeBackingFile(disk.root, { filename: 'base', format: 'toy' })
  const recorded = filename === './mid' ? 'mid' : filename
  await changeBackingFile(disk.root, { filename: recorded, format: 'toy' })
  expect(backingOverridden(graphNode(disk.root))).toBe(overridden)
  expect(disk.root.filename.startsWith('json:')).toBe(overridden)
})

test.each([
  ['a format without a name', { format: 'toy' }, 'EINVAL'],
  ['a name without the required format', { filename: 'x', requireFormat: true }, 'EINVAL'],
] as const)('%s', async (_, change, code) => {
  const disk = await at.graph.open('top')
  await expect(changeBackingFile(disk.root, change)).rejects.toMatchObject({ code, message: 'Invalid argument' })
  expect(disk.root.backingReference?.filename).toBe('mid')
})

test('a format that records none, and a node that may not be written', async () => {
  await using plain = await openSpec(memory(new MemoryStore(512)))
  expect(await failure(changeBackingFile(plain.node, { filename: 'x' }))).toBe('Operation not supported')
  const disk = await at.graph.open('top', { readOnly: true })
  expect(await failure(changeBackingFile(disk.root, { filename: 'x' }))).toBe('Operation not permitted')
})

// Without turns the second finds the node writable, and the first takes that away while the second writes.
test('two rewrite a read-only image at the same time: one after the other, and both succeed', async () => {
  const node = graphNode((await at.graph.open('top', { readOnly: true })).root)
  const { maintenance } = node.layer
  const change = maintenance!.changeBacking!.bind(maintenance)
  const seen: string[] = []
  maintenance!.changeBacking = async (backing) => {
    seen.push(`begin ${backing?.filename} read-only=${node.readOnly}`)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    await change(backing)
    seen.push(`end ${backing?.filename} read-only=${node.readOnly}`)
  }
  await Promise.all([
    rewriteBacking(node, { filename: 'base', format: 'toy' }),
    rewriteBacking(node, { filename: 'mid', format: 'toy' }),
  ])
  expect(seen).toEqual([
    'begin base read-only=false',
    'end base read-only=false',
    'begin mid read-only=false',
    'end mid read-only=false',
  ])
  expect([node.readOnly, node.backingReference?.filename]).toEqual([true, 'mid'])
})

describe('while writable', () => {
  test('read-only before, read-only after; writable stays so', async () => {
    const node = graphNode((await at.graph.open('top', { readOnly: true })).root)
    const seen: boolean[] = []
    const look = async () => void seen.push(node.readOnly)
    await whileWritable(node, look)
    expect([...seen, node.readOnly]).toEqual([false, true])
    await reopenReadOnly(node, false)
    await whileWritable(node, look)
    expect([...seen, node.readOnly]).toEqual([false, false, false])
  })

  test('also after an error, which is the one that is told', async () => {
    const node = graphNode((await at.graph.open('top', { readOnly: true })).root)
    const fail = () => Promise.reject(new BlockError('EIO', 'no'))
    expect(await failure(whileWritable(node, fail))).toBe('no')
    expect(node.readOnly).toBe(true)
  })

  // The way back writes what is dirty: where the disk does not take that either, both errors are told.
  test('where the way back fails, too', async () => {
    const store = brokenStore(at, 'top')
    const node = graphNode((await at.graph.open('top', { readOnly: true })).root)
    const change = async () => {
      await node.layer.writer!.write(0, new Uint8Array(4096), { fua: false })
      store.broken = true
      throw new BlockError('ENOSPC', 'no space')
    }
    const error = (await whileWritable(node, change).catch((reason: unknown) => reason)) as BlockError
    expect(error).toMatchObject({ code: 'ENOSPC', message: 'no space' })
    expect((error.cause as AggregateError).errors).toHaveLength(2)
    expect(node.readOnly).toBe(false)
    store.broken = false
  })
})
