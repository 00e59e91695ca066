// Extents of a chain as `qemu-img map` tells them (spec/qemu-img.md, section 19.2).
import { beforeEach, expect, test } from 'vitest'
import { type BlockBackend, drainNode, type Extent, Permissions } from '../../src/index.ts'
import { filled } from '../../src/testing/patterns.ts'
import { filterOver } from '../helpers/filter.ts'
import { openSpec, settle } from '../helpers/open-recorder.ts'
import { overlay } from '../helpers/overlay.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { chain, type World, world } from '../helpers/world.ts'

const KiB = 1024
let at: World
beforeEach(async () => {
  at = world()
  return () => at.graph.close()
})

const short = ({ start, bytes, depth, present, zero, data, hostOffset }: Extent) =>
  `${start / KiB}+${bytes / KiB} ${depth} ${present ? 'p' : '-'}${zero ? 'z' : '-'}${data ? 'd' : '-'} ${hostOffset ?? ''}`.trimEnd()

async function extents(disk: BlockBackend, offset?: number, bytes?: number): Promise<string[]> {
  const found: string[] = []
  for await (const extent of disk.map(offset, bytes)) found.push(short(extent))
  return found
}

test('each run with the depth of the image that has it; neighbours of a kind are one', async () => {
  await chain(at)
  for (const [name, offset, bytes] of [
    ['base', 0, 16 * KiB],
    ['mid', 8 * KiB, 4 * KiB],
    ['top', 12 * KiB, 8 * KiB],
  ] as const) {
    const disk = await at.graph.open(name)
    await disk.write(offset, filled(1, bytes))
    await disk.close()
  }
  const disk = await at.graph.open('top', { readOnly: true })
  expect(await extents(disk)).toEqual(['0+8 2 p-d 4096', '8+4 1 p-d 12288', '12+8 0 p-d 16384', '20+44 2 -z-'])
  expect(await extents(disk, 9 * KiB, 4 * KiB)).toEqual(['9+3 1 p-d 13312', '12+1 0 p-d 16384'])
  expect(await extents(disk, 64 * KiB)).toEqual([])
  const status = await disk.blockStatus(9 * KiB, 64 * KiB)
  expect(short(status)).toBe('9+3 1 p-d 13312')
  expect(status.file?.filename).toBe('mid')
  expect((await disk.blockStatus(64 * KiB, 512)).bytes).toBe(0)
})

test('beyond a shorter backing file the overlay itself reads as zero, and has nothing', async () => {
  await using opened = await openSpec(overlay({ length: 8 * KiB, backing: 4 * KiB }), { readOnly: true })
  expect(await extents(opened.disk)).toEqual(['0+4 1 p-d 0', '4+4 0 -z-'])
})

test('filters do not count', async () => {
  const image = overlay({ length: 4 * KiB, backing: filterOver(record(new Recorder(filled(1, 4 * KiB)))) })
  await using opened = await openSpec(filterOver(filterOver(image)), { readOnly: true })
  expect(await extents(opened.disk)).toEqual(['0+4 1 p-d 0'])
})

test('runs whose places do not join, or differ in any way, stay apart', async () => {
  const kinds = [
    { data: true, zero: false, hostOffset: 0 },
    { data: true, zero: false, hostOffset: 1024 },
    { data: true, zero: false, hostOffset: 8192 },
    { data: true, zero: true, hostOffset: 9216 },
    { data: true, zero: false, compressed: true },
    { data: true, zero: false, compressed: true },
    { data: false, zero: true },
    { data: false, zero: false },
  ]
  const status = (offset: number) => ({ bytes: KiB, ...kinds[offset / KiB]! })
  await using opened = await openSpec(overlay({ length: 8 * KiB, backing: 0, status }), { readOnly: true })
  expect(await extents(opened.disk)).toEqual([
    '0+2 0 p-d 0',
    '2+1 0 p-d 8192',
    '3+1 0 pzd 9216',
    '4+2 0 p-d',
    '6+1 0 pz-',
    '7+1 0 -z-',
  ])
})

test('an empty disk has no extents', async () => {
  await using opened = await openSpec(overlay({ length: 0 }), { readOnly: true })
  expect(await extents(opened.disk)).toEqual([])
})

test('a disk that becomes shorter meanwhile ends the walk', async () => {
  await using opened = await openSpec(record(new Recorder(2 ** 31)))
  const found: number[] = []
  const walk = opened.graph.backend(opened.node, { permissions: { taken: 0, shared: Permissions.all } })
  const blockStatus = async (at: number) => ({ bytes: 4096, data: at % 8192 === 0, zero: at % 8192 !== 0 })
  Object.assign(opened.node.layer, { mapping: { blockStatus } })
  for await (const extent of walk.map()) {
    found.push(extent.start)
    if (found.length === 2) await opened.disk.truncate(16384)
  }
  expect(found).toEqual([0, 4096, 8192, 12288])
})

test('a drained section holds the walk back', async () => {
  await using opened = await openSpec(record(new Recorder(8192)))
  const end = await drainNode(opened.node)
  const first = opened.disk.map()[Symbol.asyncIterator]().next()
  let isThere = false
  void first.then(() => {
    isThere = true
  })
  await settle()
  expect(isThere).toBe(false)
  end()
  expect((await first).value).toMatchObject({ start: 0, bytes: 8192 })
})
