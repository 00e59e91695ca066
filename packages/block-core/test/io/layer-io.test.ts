// Buffers reach drivers as they are where those take several, in aligned requests where they take one at a time.
import { expect, test } from 'vitest'
import { joinBytes } from '../../src/io/layer-io.ts'
import { buffersMax } from '../../src/io/pieces.ts'
import { filled, stamped } from '../../src/testing/patterns.ts'
import { type OpenRecorder, openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'

function recorderOf(content: Uint8Array | number, vectored: boolean, limits: Recorder['limits'] = {}): Recorder {
  const recorder = new Recorder(content)
  recorder.vectored = vectored
  recorder.limits = limits
  return recorder
}

async function readParts(opened: OpenRecorder, offset: number, lengths: readonly number[]): Promise<Uint8Array[]> {
  const parts = lengths.map((length) => filled(0xee, length))
  await opened.disk.read(offset, parts)
  return parts
}

test('a vectored driver gets one request with the very buffers of the user', async () => {
  const recorder = recorderOf(65536, true, { requestAlignment: 4096 })
  await using opened = await openRecorder(recorder)
  const [a, b] = [filled(1, 10000), filled(2, 6000)]
  await opened.disk.write(4000, [a, new Uint8Array(0), b])
  expect(recorder.take()).toEqual(['read 0+4096', 'read 16384+4096', 'write 0+20480'])
  const [head, first, second, tail] = recorder.vectors[0]!
  expect([first === a, second === b, head!.length, tail!.length]).toEqual([true, true, 4000, 480])
  expect(recorder.store.bytes().subarray(4000, 20000)).toEqual(Uint8Array.from([...a, ...b]))
})

test('reads fill the very buffers too', async () => {
  const recorder = recorderOf(stamped(0, 65536), true, { requestAlignment: 512, maxTransfer: 8192 })
  await using opened = await openRecorder(recorder)
  const parts = await readParts(opened, 1000, [3000, 1, 9999])
  expect(recorder.take()).toEqual(['read 512+8192', 'read 8704+5632'])
  expect(Uint8Array.from(parts.flatMap((part) => [...part]))).toEqual(stamped(0, 65536).subarray(1000, 14000))
})

test('a driver for one buffer gets whole blocks: the edges joined, the middle as it is', async () => {
  const recorder = recorderOf(stamped(0, 65536), false, { requestAlignment: 4096 })
  await using opened = await openRecorder(recorder)
  const data = filled(9, 20000)
  await opened.disk.write(1000, data)
  expect(recorder.take()).toEqual([
    'read 0+4096',
    'read 20480+4096',
    'write 0+4096',
    'write 4096+16384',
    'write 20480+4096',
  ])
  const parts = await readParts(opened, 1000, [8000, 12000])
  expect(recorder.take()).toEqual([
    'read 0+4096',
    'read 4096+4096',
    'read 8192+4096',
    'read 12288+8192',
    'read 20480+4096',
  ])
  expect(parts.every((part) => part.every((byte) => byte === 9))).toBe(true)
})

test('more buffers than a system call takes are joined', async () => {
  const recorder = recorderOf(stamped(0, 8192), true)
  await using opened = await openRecorder(recorder)
  const parts = await readParts(opened, 0, new Array(buffersMax + 1).fill(4))
  expect(recorder.take()).toEqual([`read 0+${4 * (buffersMax + 1)}`])
  expect(Uint8Array.from(parts.flatMap((part) => [...part]))).toEqual(
    stamped(0, 8192).subarray(0, 4 * (buffersMax + 1)),
  )
  expect(joinBytes(new Array(buffersMax + 1).fill(4), 1, true)).toBe(4 * (buffersMax + 1))
  expect(joinBytes([4, 4], 1, true)).toBe(0)
})

test('past the end, the rest of the buffers is zeroes', async () => {
  const recorder = recorderOf(stamped(0, 1000), true)
  await using opened = await openRecorder(recorder)
  const parts = await readParts(opened, 512, [400, 112])
  expect(recorder.take()).toEqual(['read 512+488'])
  expect(Uint8Array.from(parts.flatMap((part) => [...part])).subarray(488)).toEqual(new Uint8Array(24))
})
