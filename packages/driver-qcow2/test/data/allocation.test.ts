/** Proves which parts of new clusters surround the data. */

import { expect, test } from 'vitest'
import { makeAllocation } from '../../src/data/allocation.ts'
import { guestOffset, hostOffset, makeGeometry } from '../../src/format/geometry.ts'

const geometry = makeGeometry({ clusterBits: 16, extendedL2: false, refcountOrder: 4 })
const cluster = 65536

test.each([
  { offset: 0, bytes: cluster, clusters: 1, head: 0, tail: [cluster, 0] },
  { offset: 512, bytes: 512, clusters: 1, head: 512, tail: [1024, cluster - 1024] },
  { offset: 3 * cluster + 1, bytes: cluster, clusters: 2, head: 1, tail: [cluster + 1, cluster - 1] },
  { offset: 2 ** 50 + cluster - 1, bytes: 2, clusters: 2, head: cluster - 1, tail: [cluster + 1, cluster - 1] },
])('$bytes bytes at $offset', ({ offset, bytes, clusters, head, tail }) => {
  const allocation = makeAllocation(geometry, {
    offset: guestOffset(offset),
    bytes,
    hostOffset: hostOffset(7 * cluster),
    clusterCount: clusters,
    keepOld: false,
    firstType: 'unallocated',
    lastType: 'normal',
  })
  const start = Math.floor(offset / cluster) * cluster
  expect(allocation).toEqual({
    start,
    end: start + clusters * cluster,
    allocates: true,
    guestOffset: start,
    hostOffset: 7 * cluster,
    clusterCount: clusters,
    keepOld: false,
    head: { start: 0, bytes: head, oldType: 'unallocated' },
    tail: { start: tail[0], bytes: tail[1], oldType: 'normal' },
    filled: { start: 0, end: clusters * cluster },
    overwrites: false,
  })
})
