// Compressed writes reach drivers that have them, are refused by name where they do not, and count as writes.
import { expect, test } from 'vitest'
import { canWriteCompressed, createDirtyBitmap, writeHighestOffsetOf } from '../../src/index.ts'
import { filled } from '../../src/testing/patterns.ts'
import { openListener } from '../helpers/listener.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'

test('a driver without compression refuses', async () => {
  await using opened = await openRecorder(new Recorder(4096))
  await expect(opened.disk.writeCompressed(0, filled(1, 512))).rejects.toMatchObject({
    code: 'ENOTSUP',
    message: 'Operation not supported',
  })
})

test('what is written compressed is announced as done, marked dirty and accounted for', async () => {
  const recorder = new Recorder(65536)
  await using opened = await openListener(recorder)
  const got: string[] = []
  const { writer } = opened.node.layer
  Object.assign(writer!, {
    writeCompressed: async (offset: number, data: Uint8Array) => void got.push(`${offset}+${data.length}`),
  })
  expect(canWriteCompressed(opened.disk.root)).toBe(true)
  const { bitmap } = createDirtyBitmap(opened.disk.root, 4096)
  await opened.disk.writeCompressed(4096, filled(1, 4096))
  await opened.disk.writeCompressed(8192, new Uint8Array(0))
  expect(got).toEqual(['4096+4096', '8192+0'])
  expect([bitmap.dirtyBytes, writeHighestOffsetOf(opened.disk.root)]).toEqual([4096, 8192])
  expect(recorder.take()).toEqual(['event pwritev_done', 'event pwritev_done'])
})

test('it must be aligned to requests', async () => {
  const recorder = new Recorder(65536)
  recorder.limits = { requestAlignment: 512 }
  await using opened = await openRecorder(recorder)
  Object.assign(opened.node.layer.writer!, { writeCompressed: async () => {} })
  await expect(opened.disk.writeCompressed(100, filled(1, 512))).rejects.toMatchObject({ code: 'EINVAL' })
  await expect(opened.disk.writeCompressed(512, filled(1, 100))).rejects.toMatchObject({ code: 'EINVAL' })
})
