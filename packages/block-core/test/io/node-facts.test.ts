// What a format says of itself is seen through filters; without clusters, the unit of requests is that of allocation.
import { expect, test } from 'vitest'
import { clusterSizeOf, infoOf } from '../../src/io/node-facts.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { Clusters, clustersOver } from '../helpers/clusters.ts'
import { filterOver } from '../helpers/filter.ts'
import { openSpec } from '../helpers/open-recorder.ts'

test('clusters, also below a filter; else request alignment', async () => {
  await using format = await openSpec(clustersOver(new Clusters(65536, 65536)))
  expect(clusterSizeOf(format.node)).toBe(65536)
  await using filter = await openSpec(filterOver(clustersOver(new Clusters(65536, 8192))))
  expect(clusterSizeOf(filter.node)).toBe(8192)
  await using plain = await openSpec(memory(new MemoryStore(4096), { requestAlignment: 512 }))
  expect(clusterSizeOf(plain.node)).toBe(512)
  const fine = new Clusters(65536, 512)
  fine.requestAlignment = 4096
  await using coarse = await openSpec(clustersOver(fine))
  expect(clusterSizeOf(coarse.node)).toBe(4096)
  // A backing file's clusters are its own business.
  await using overlay = await openSpec(
    clustersOver(new Clusters(65536, 4096), clustersOver(new Clusters(65536, 65536))),
  )
  expect(clusterSizeOf(overlay.node)).toBe(4096)
})

test('a filter that says nothing gives what its child’s format says of clusters', async () => {
  await using filter = await openSpec(filterOver(filterOver(clustersOver(new Clusters(65536, 8192)))))
  expect(infoOf(filter.node)).toEqual({ clusterSize: 8192 })
  expect(filter.disk.info).toEqual({ clusterSize: 8192 })
  await using plain = await openSpec(memory(new MemoryStore(4096)))
  expect(infoOf(plain.node)).toEqual({})
})
