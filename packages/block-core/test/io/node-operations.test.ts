// Questions about nodes that jobs and monitors ask by the nodes they hold.
import { expect, test } from 'vitest'
import { isAllocatedAbove, readsZeroFast, writeHighestOffsetOf } from '../../src/index.ts'
import { filled } from '../../src/testing/patterns.ts'
import { Clusters, clustersOver } from '../helpers/clusters.ts'
import { openRecorder, openSpec } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'

test('allocation between two images of a chain', async () => {
  const [top, base] = [new Clusters(65536), new Clusters(65536)]
  await using opened = await openSpec(clustersOver(top, clustersOver(base)))
  base.allocate(0, 4096)
  const root = opened.disk.root
  const range = { offset: 0, bytes: 65536 }
  expect(await isAllocatedAbove(root, undefined, range)).toEqual({ depth: 2, bytes: 4096 })
  expect(await isAllocatedAbove(root, root.backing, range)).toEqual({ depth: 0, bytes: 65536 })
  expect(await isAllocatedAbove(root, root.backing, { ...range, includeBase: true })).toEqual({ depth: 2, bytes: 4096 })
  expect(await readsZeroFast(root, 4096, 4096)).toBe(true)
  expect(await readsZeroFast(root, 0, 8192)).toBe(false)
})

test('the end of the furthest write, also of one that failed', async () => {
  const recorder = new Recorder(65536)
  await using opened = await openRecorder(recorder)
  expect(writeHighestOffsetOf(opened.disk.root)).toBe(0)
  await opened.disk.write(8192, filled(1, 512))
  await opened.disk.write(0, filled(1, 512))
  await opened.disk.discard(32768, 512)
  expect(writeHighestOffsetOf(opened.disk.root)).toBe(8704)
  recorder.before = (request) => (request.startsWith('zero') ? Promise.reject(new Error('no')) : undefined)
  await expect(opened.disk.writeZeroes(16384, 4096)).rejects.toThrow('no')
  expect(writeHighestOffsetOf(opened.disk.root)).toBe(20480)
})
