/** Proves the sizes a mirror works with: the granularity rule, and units that a target without its backing file needs. */
import { createBlockGraph } from '@blocklayer/block-core'
import { memory, MemoryStore } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { copyGeometry, defaultGranularity } from '../../src/mirror/geometry.ts'
import { KiB, MiB } from '../helpers/chain.ts'
import { overlay, OverlayMap } from '../helpers/overlay-driver.ts'

// spec/qemu-img.md, section 13.5: measured with the reference.
test.each([
  [512, 4096],
  [4096, 4096],
  [16384, 16384],
  [65536, 65536],
  [2 * MiB, 65536],
  [undefined, 65536],
])('clusters of %s bytes: a bit for %i bytes', (cluster, granularity) => {
  expect(defaultGranularity(cluster)).toBe(granularity)
})

async function geometryOf(clusterSize: number, backingName?: string, backing = false) {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const map = new OverlayMap(8 * MiB, clusterSize)
  map.backingName = backingName
  const below = backing ? memory(new MemoryStore(8 * MiB)) : undefined
  const disk = await graph.open(overlay({ file: memory(new MemoryStore()), map, backing: below }))
  const geometry = copyGeometry(disk.root, 4 * MiB)
  await graph.close()
  return geometry
}

test('copies are whole bits, zeroing is whole clusters', async () => {
  expect(await geometryOf(2 * MiB)).toEqual({ length: 4 * MiB, granularity: 65536, unit: 65536, cluster: 2 * MiB })
  expect(await geometryOf(512)).toEqual({ length: 4 * MiB, granularity: 4096, unit: 4096, cluster: 512 })
})

test('a target without clusters is zeroed anywhere', async () => {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(memory(new MemoryStore(MiB)))
  expect(copyGeometry(disk.root, MiB)).toEqual({ length: MiB, granularity: 65536, unit: 65536, cluster: 1 })
  await graph.close()
})

// It could not fill up a cluster that is written in part from a backing file that is not there.
test('a target whose backing file is not open gets whole clusters', async () => {
  expect((await geometryOf(2 * MiB, 'gone')).unit).toBe(2 * MiB)
  expect((await geometryOf(16 * KiB, 'gone')).unit).toBe(16 * KiB)
  expect((await geometryOf(512, 'gone')).unit).toBe(4096)
  expect((await geometryOf(2 * MiB, 'there', true)).unit).toBe(65536)
})
