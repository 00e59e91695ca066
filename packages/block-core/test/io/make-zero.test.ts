// A whole device is zeroed where it does not read as zeroes already.
import { expect, test } from 'vitest'
import { filled } from '../../src/testing/patterns.ts'
import { openRecorder, openSpec } from '../helpers/open-recorder.ts'
import { overlay } from '../helpers/overlay.ts'
import { Recorder, record } from '../helpers/recorder.ts'

test('data is zeroed, with the flags that were given', async () => {
  const recorder = new Recorder(filled(1, 8192))
  await using opened = await openRecorder(recorder)
  await opened.disk.makeZero({ mayUnmap: true })
  expect(recorder.take()).toEqual(['zero 0+8192 unmap'])
  expect(recorder.store.bytes()).toEqual(new Uint8Array(8192))
})

test('what reads as zeroes is left alone', async () => {
  const status = (offset: number, bytes: number) => ({
    bytes: Math.min(bytes, offset < 4096 ? 4096 - offset : bytes),
    data: offset < 4096,
    zero: offset >= 4096,
  })
  const recorder = new Recorder(65536)
  await using opened = await openSpec(overlay({ length: 65536, file: record(recorder), status }))
  let written = 0
  const { writer } = opened.node.layer
  Object.assign(writer!, {
    write: async (_offset: number, data: Uint8Array) => {
      written += data.length
    },
  })
  await opened.disk.makeZero()
  expect(written).toBe(4096)
})

test('a disk that becomes shorter meanwhile is zeroed to its new end', async () => {
  const recorder = new Recorder(filled(1, 8192))
  await using opened = await openRecorder(recorder)
  const mapping = { blockStatus: async () => ({ bytes: 4096, data: true, zero: false }) }
  Object.assign(opened.node.layer, { mapping })
  recorder.before = async () => recorder.store.resize(4096)
  await opened.disk.makeZero()
  expect(recorder.take()).toEqual(['zero 0+4096'])
})
