// What tools ask about a node beyond its view.
import { expect, test } from 'vitest'
import { hostBytesOf, readsZeroWhenNew, requestAlignmentOf, resolvedBackingName } from '../../src/index.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { openRecorder, openSpec } from '../helpers/open-recorder.ts'
import { overlay } from '../helpers/overlay.ts'
import { Recorder } from '../helpers/recorder.ts'
import { toy } from '../helpers/toy-format.ts'
import { world } from '../helpers/world.ts'

test('the backing name as it would be opened', async () => {
  const at = world()
  await using graph = at.graph
  const nameOf = async (backing: string, image = 'dir/image') => {
    const request = { size: 4096, backing: { filename: backing, format: 'toy' }, unsafeBacking: true }
    await graph.create('toy', image, request)
    const disk = await graph.open(image, { readOnly: true, noBacking: true })
    return resolvedBackingName(disk.root)
  }
  expect(await nameOf('base')).toBe('dir/base')
  expect(await nameOf('../base')).toBe('dir/../base')
  expect(await nameOf('/base')).toBe('/base')
  expect(await nameOf('nbd://host')).toBe('nbd://host')
  const placeless = await graph.open(toy(memory(at.files.get('dir/image')!)), { readOnly: true, noBacking: true })
  expect(resolvedBackingName(placeless.root)).toBe('nbd://host')
  await graph.create('toy', 'x', { size: 4096, backing: { filename: 'base', format: 'toy' }, unsafeBacking: true })
  const relative = await graph.open(toy(memory(at.files.get('x')!)), { readOnly: true, noBacking: true })
  expect(resolvedBackingName(relative.root)).toBeUndefined()
  await graph.create('toy', 'none', { size: 4096 })
  expect(resolvedBackingName((await graph.open('none', { readOnly: true })).root)).toBeUndefined()
})

test('host space, alignment, zeroes when new', async () => {
  const recorder = new Recorder(4096)
  recorder.limits = { requestAlignment: 4096 }
  await using opened = await openRecorder(recorder)
  expect(requestAlignmentOf(opened.node)).toBe(4096)
  expect(await hostBytesOf(opened.node)).toBeUndefined()
  expect(await readsZeroWhenNew(opened.node)).toBe(false)
  await using store = await openSpec(memory(new MemoryStore(512)))
  expect(await readsZeroWhenNew(store.node)).toBe(true)
  await using above = await openSpec(overlay({ length: 512, backing: 512 }))
  expect(await readsZeroWhenNew(above.node)).toBe(false)
})
