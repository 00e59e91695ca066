// The block-0 rule protects images that were guessed to be raw, and only those: in any other format a guest may write what
// it likes into its first sector.
import { expect, test } from 'vitest'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { failure, world } from '../helpers/world.ts'

const sector = new Uint8Array(512).fill(0x11)
const toyHeader = new TextEncoder().encode('{"toy":true}'.padEnd(512))

test('the guest of a guessed format writes its first sector', async () => {
  const { graph } = world()
  await using _closing = graph
  await graph.create('toy', 'image', { size: 65536 })
  const disk = await graph.open('image')
  await disk.write(0, sector)
  await disk.write(0, toyHeader)
  const found = new Uint8Array(512)
  await disk.read(0, found)
  expect(found).toEqual(toyHeader)
})

test('a guest of a guessed raw image cannot make it another format', async () => {
  const { graph, files } = world()
  await using _closing = graph
  files.set('image', new MemoryStore(65536))
  const disk = await graph.open('image')
  await disk.write(0, sector)
  expect(await failure(disk.write(0, toyHeader))).toBe('Operation not permitted')
  await disk.write(512, toyHeader)
})
