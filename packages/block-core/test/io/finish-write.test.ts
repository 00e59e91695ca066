// Every write is remembered in generations and dirty bitmaps, also one that failed: it may have changed anything.
import { expect, test } from 'vitest'
import { createDirtyBitmap } from '../../src/index.ts'
import { finishWrite, runAccounted } from '../../src/io/finish-write.ts'
import { filled } from '../../src/testing/patterns.ts'
import { openListener } from '../helpers/listener.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

test('bitmaps hold the padded range of writes, zero writes and discards; reads leave no mark', async () => {
  const recorder = new Recorder(65536)
  recorder.limits = { requestAlignment: 4096 }
  await using opened = await openRecorder(recorder)
  const { bitmap, remove } = createDirtyBitmap(opened.node, 4096)
  await opened.disk.read(0, new Uint8Array(65536))
  expect(bitmap.dirtyBytes).toBe(0)
  await opened.disk.write(5000, filled(1, 4000))
  expect(bitmap.nextDirtyArea(0)).toEqual({ offset: 4096, bytes: 8192 })
  await opened.disk.writeZeroes(20480, 4096)
  await opened.disk.discard(28672, 4096)
  expect(bitmap.dirtyBytes).toBe(4 * 4096)
  bitmap.enabled = false
  await opened.disk.write(0, filled(1, 4096))
  expect(bitmap.isDirty(0)).toBe(false)
  remove()
  expect(opened.node.dirtyBitmaps.size).toBe(0)
})

test('a failed write is marked too', async () => {
  const recorder = new Recorder(65536)
  await using opened = await openRecorder(recorder)
  const { bitmap } = createDirtyBitmap(opened.node, 4096)
  recorder.before = (request) => (request.startsWith('write') ? Promise.reject(new Error('no write')) : undefined)
  expect(await failure(opened.disk.write(8192, filled(1, 10)))).toBe('no write')
  expect(bitmap.isDirty(8192)).toBe(true)
})

test('a write that makes the node longer makes its bitmaps longer', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  const { bitmap } = createDirtyBitmap(opened.node, 4096)
  recorder.store.write(8192, filled(1, 4096))
  finishWrite(opened.node, 8192, 4096)
  expect([bitmap.length, bitmap.isDirty(8192), bitmap.isDirty(4096)]).toEqual([12288, true, false])
})

test('a write that failed past the end marks nothing there', async () => {
  await using opened = await openRecorder(new Recorder(4096))
  const { bitmap } = createDirtyBitmap(opened.node, 4096)
  finishWrite(opened.node, 4096, 4096)
  expect([bitmap.length, bitmap.dirtyBytes, opened.node.writeGeneration]).toEqual([4096, 0, 1])
})

test('events stand around the driver and the flush; the last one comes after every failure', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openListener(recorder)
  const write = { event: 'pwritev', offset: 0, bytes: 512, flush: true } as const
  await runAccounted(opened.node, write, () => recorder.note('driver'))
  expect(recorder.take()).toEqual(['event pwritev', 'driver', 'flush', 'event pwritev_done'])
  const broken = runAccounted(opened.node, write, () => Promise.reject(new Error('broken')))
  expect(await failure(broken)).toBe('broken')
  expect(recorder.take()).toEqual(['event pwritev', 'event pwritev_done'])
  recorder.before = (request) => (request === 'flush' ? Promise.reject(new Error('no flush')) : undefined)
  expect(await failure(runAccounted(opened.node, write, async () => {}))).toBe('no flush')
  expect(recorder.take()).toEqual(['event pwritev', 'flush', 'event pwritev_done'])
  recorder.before = undefined
})
