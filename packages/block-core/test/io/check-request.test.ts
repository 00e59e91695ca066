// No request reaches a driver whose range is negative, fractional or past what a number can count.
import { expect, test } from 'vitest'
import { checkRange, checkTransfer, checkWritable } from '../../src/io/check-request.ts'
import { requestBytesMax } from '../../src/node/limits.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

test.each([
  [-1, 1, 'Input/output error'],
  [0, -1, 'Input/output error'],
  [Number.NaN, 1, 'Input/output error'],
  [0.5, 1, 'Input/output error'],
  [0, 1.5, 'Input/output error'],
  [2 ** 53 - 1, 1, 'File too large'],
  [0, Number.POSITIVE_INFINITY, 'File too large'],
])('range %d + %d: %s', (offset, bytes, message) => {
  expect(() => checkRange(offset, bytes)).toThrow(message)
})

test('whole ranges up to 2^53 pass', () => {
  expect(() => checkRange(2 ** 53 - 513, 512)).not.toThrow()
  expect(() => checkRange(0, 0)).not.toThrow()
})

test('data requests have a greatest length, others do not', () => {
  expect(() => checkTransfer(0, requestBytesMax)).not.toThrow()
  expect(() => checkTransfer(0, requestBytesMax + 1)).toThrow('Input/output error')
  expect(() => checkRange(0, 2 ** 40)).not.toThrow()
})

test('a read-only node refuses writes with EPERM, before anything reaches the driver', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder, {}, { readOnly: true })
  expect(() => checkWritable(opened.node)).toThrow('Operation not permitted')
  recorder.take()
  expect(await failure(opened.disk.write(0, new Uint8Array(512)))).toBe('Operation not permitted')
  expect(await failure(opened.disk.writeZeroes(0, 512))).toBe('Operation not permitted')
  expect(await failure(opened.disk.discard(0, 512))).toBe('Operation not permitted')
  expect(recorder.take()).toEqual([])
})

test('a node without medium says so before anything else', async () => {
  await using opened = await openRecorder(new Recorder(4096), {}, { readOnly: true })
  opened.node.eject()
  for (const request of [
    () => opened.disk.read(0, new Uint8Array(0)),
    () => opened.disk.write(-1, new Uint8Array(0)),
    () => opened.disk.writeZeroes(0, 0),
    () => opened.disk.discard(0, 0),
    () => opened.disk.flush(),
  ])
    expect(await failure(request())).toMatch(/No medium found|Input\/output error/)
})
