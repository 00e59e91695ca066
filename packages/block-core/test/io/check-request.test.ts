// No request reaches a driver whose range is negative, fractional or past what a number can count.
import { expect, test } from 'vitest'
import { createDirtyBitmap, Permissions } from '../../src/index.ts'
import { checkRange, checkTransfer, checkWritable, missingPermissions } from '../../src/io/check-request.ts'
import { Edge } from '../../src/node/edge.ts'
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

test('a bitmap that cannot be changed forbids writes: it would miss them', async () => {
  await using opened = await openRecorder(new Recorder(4096))
  const { bitmap } = createDirtyBitmap(opened.disk.root, 512)
  Object.assign(bitmap, { readOnly: true })
  for (const request of [
    () => opened.disk.write(0, new Uint8Array(512)),
    () => opened.disk.writeZeroes(0, 512),
    () => opened.disk.discard(0, 512),
  ])
    expect(await failure(request())).toBe('Operation not permitted')
  await opened.disk.read(0, new Uint8Array(512))
})

test('bits that are missing', async () => {
  await using opened = await openRecorder(new Recorder(4096))
  const { write, writeUnchanged, resize } = Permissions
  const missing = (taken: number, bits: number, end?: number): number =>
    missingPermissions(opened.node, taken, bits, end)
  expect(missing(write, write)).toBe(0)
  expect(missing(writeUnchanged, write)).toBe(write)
  expect(missing(writeUnchanged, write | writeUnchanged)).toBe(0)
  expect(missing(write, write, 4096)).toBe(0)
  expect(missing(write, write, 4097)).toBe(resize)
  expect(missing(write | resize, write, 1e9)).toBe(0)
})

test('a user that did not take a permission cannot use it', async () => {
  await using opened = await openRecorder(new Recorder(4096))
  const open = (taken: number) =>
    opened.graph.backend(opened.disk.root, { permissions: { taken, shared: Permissions.all } })
  await using reader = open(Permissions.consistentRead)
  await reader.read(0, new Uint8Array(512))
  await reader.flush()
  for (const request of [
    () => reader.write(0, new Uint8Array(512)),
    () => reader.write(0, new Uint8Array(512), { unchanged: true }),
    () => reader.writeZeroes(0, 512),
    () => reader.writeCompressed(0, new Uint8Array(512)),
    () => reader.discard(0, 512),
    () => reader.makeZero(),
  ])
    expect(await failure(request())).toBe('Operation not permitted')
  await using copier = open(Permissions.writeUnchanged)
  await copier.write(0, new Uint8Array(512), { unchanged: true })
  expect(await failure(copier.write(0, new Uint8Array(512)))).toBe('Operation not permitted')
})

// A driver that writes where it has no permission would break what others rely on: it is a bug, told as one.
test('a driver takes its permissions before it writes', async () => {
  await using opened = await openRecorder(new Recorder(4096))
  const edge = new Edge('file', 19, { description: 'a test', node: undefined }, opened.node)
  const taking = (taken: number): Edge => Object.assign(edge, { permissions: { taken, shared: Permissions.all } })
  const message = (name: string): string => `the 'file' edge to '${opened.node.nodeName}' has no '${name}' permission`
  const sector = new Uint8Array(512)
  expect(await failure(taking(Permissions.consistentRead).write(0, sector))).toBe(message('write'))
  expect(await failure(edge.writeZeroes(0, 512))).toBe(message('write'))
  expect(await failure(edge.writeCompressed(0, sector))).toBe(message('write'))
  expect(await failure(edge.discard(0, 512))).toBe(message('write'))
  expect(await failure(edge.truncate(0))).toBe(message('resize'))
  expect(await failure(edge.write(0, sector, { unchanged: true }))).toBe(message('write, write unchanged'))
  expect(await failure(taking(Permissions.write).write(4096, sector))).toBe(message('resize'))
  await taking(Permissions.writeUnchanged).write(0, sector, { unchanged: true })
})
