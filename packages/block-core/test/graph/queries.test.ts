// What tools are told about a node: the name its backing file is opened by, as seen from where the image lies; whether it
// reads as zeroes when new; the host's space; and the unit of its requests.
import { expect, test } from 'vitest'
import {
  canWriteCompressed,
  hostBytesOf,
  limitsOf,
  readsZeroWhenNew,
  requestAlignmentOf,
  resolvedBackingName,
} from '../../src/graph/queries.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { openSpec } from '../helpers/open-recorder.ts'
import { overlay } from '../helpers/overlay.ts'
import { toy } from '../helpers/toy-format.ts'
import { chain, world } from '../helpers/world.ts'

test.each([
  ['dir/top', 'base', 'dir/base'],
  ['dir/top', './base', 'dir/./base'],
  ['top', 'base', 'base'],
  ['dir/top', '/base', '/base'],
  ['dir/top', 'mem:base', 'mem:base'],
])('%s records %s: %s is opened', async (name, recorded, resolved) => {
  const { graph } = world()
  const backing = { filename: recorded, format: 'toy' }
  await graph.create('toy', name, { size: 4096, backing, unsafeBacking: true })
  const disk = await graph.open(name, { format: 'toy', readOnly: true, noBacking: true })
  expect(resolvedBackingName(disk.root)).toBe(resolved)
  await graph.close()
})

test('an image without a backing file has no such name', async () => {
  const { graph } = world()
  await graph.create('toy', 'top', { size: 4096 })
  const disk = await graph.open('top', { readOnly: true })
  expect(resolvedBackingName(disk.root)).toBeUndefined()
  await graph.close()
})

test('an overlay never reads as zeroes when new; who promises nothing does not either', async () => {
  const images = world()
  await chain(images)
  const top = await images.graph.open('top', { readOnly: true })
  expect(await readsZeroWhenNew(top.root)).toBe(false)
  await images.graph.close()
})

test('the unit of requests is the driver’s; the space is unknown where a file does not tell', async () => {
  const images = world()
  await chain(images)
  const top = await images.graph.open('top', { readOnly: true })
  expect(requestAlignmentOf(top.root)).toBe(4096)
  expect(await hostBytesOf(top.root)).toBeUndefined()
  expect(canWriteCompressed(top.root)).toBe(false)
  await images.graph.close()
})

test('an image without a place of its own cannot resolve a relative name, only an absolute one', async () => {
  const { graph, files } = world()
  for (const [recorded, resolved] of [
    ['base', undefined],
    ['/base', '/base'],
  ] as const) {
    const backing = { filename: recorded, format: 'toy' }
    await graph.create('toy', 'top', { size: 4096, backing, unsafeBacking: true })
    const disk = await graph.open(toy(memory(files.get('top')!)), { readOnly: true, noBacking: true })
    expect(resolvedBackingName(disk.root)).toBe(resolved)
  }
  await graph.close()
})

test('a store in memory reads as zeroes when new, but not below a longer chain', async () => {
  await using store = await openSpec(memory(new MemoryStore(512)))
  expect(await readsZeroWhenNew(store.node)).toBe(true)
  await using above = await openSpec(overlay({ length: 512, backing: 512 }))
  expect(await readsZeroWhenNew(above.node)).toBe(false)
})

test('limits: what a driver says, and what that comes to', async () => {
  const images = world()
  await chain(images)
  const top = await images.graph.open('top', { readOnly: true })
  const { own, resolved } = limitsOf(top.root)
  expect(own.requestAlignment).toBe(4096)
  expect(resolved).toMatchObject({ requestAlignment: 4096, zeroAlignment: 4096, discardAlignment: 4096 })
  await images.graph.close()
})
