// Length changes: the reference's messages in their order, what a growing overlay must hide, bitmaps that follow.
import { expect, test } from 'vitest'
import { ChildRoles, type ChildSpec, defineDriver, nodeSpec } from '../../src/driver.ts'
import { createDirtyBitmap, Permissions } from '../../src/index.ts'
import { truncateNode } from '../../src/io/truncate.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { filled } from '../../src/testing/patterns.ts'
import { gate, openRecorder, openSpec, settle } from '../helpers/open-recorder.ts'
import { overlay } from '../helpers/overlay.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

test('a signal that was given before is enough', async () => {
  await using opened = await openRecorder(new Recorder(4096), {}, {})
  await expect(truncateNode(opened.node, 8192, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
    'enough',
  )
  expect(opened.node.length).toBe(4096)
})

test('refusals, with the words of the reference', async () => {
  await using opened = await openRecorder(new Recorder(4096), {}, { readOnly: true })
  expect(await failure(truncateNode(opened.node, -1))).toBe('Image size cannot be negative')
  expect(await failure(truncateNode(opened.node, 2 ** 60))).toBe('File too large')
  expect(await failure(truncateNode(opened.node, Number.NaN))).toBe('Invalid argument')
  expect(await failure(truncateNode(opened.node, 1.5))).toBe('Invalid argument')
  expect(await failure(truncateNode(opened.node, 8192))).toBe('Image is read-only')
  opened.node.eject()
  expect(await failure(truncateNode(opened.node, -1))).toBe('No medium inserted')
})

const fixed = defineDriver<{ file: ChildSpec; filter?: boolean }, never>({
  formatName: 'fixed',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', help: 'x' }, filter: { name: 'filter', type: 'bool', help: 'x' } },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
    return {
      get length() {
        return file.length
      },
      read: (offset, into) => file.read(offset, into),
      writer: { write: (offset, data) => file.write(offset, data) },
      close: async () => {},
    }
  },
})

test('a format without the operation refuses, a filter hands it on', async () => {
  const recorder = new Recorder(4096)
  await using format = await openSpec(nodeSpec(fixed, { file: record(recorder) }))
  expect(await failure(format.disk.truncate(8192))).toBe('Image format driver does not support resize')
  const filter = { ...fixed, formatName: 'passing', kind: 'filter' as const }
  await using passing = await openSpec(nodeSpec(filter, { file: record(new Recorder(4096)) }))
  await passing.disk.truncate(8192)
  expect(passing.disk.length).toBe(8192)
})

test('bitmaps follow the length: new parts are clean, lost ones forgotten', async () => {
  await using opened = await openRecorder(new Recorder(8192))
  const { bitmap } = createDirtyBitmap(opened.node, 4096)
  await opened.disk.write(0, filled(1, 8192))
  await opened.disk.truncate(4096)
  expect([bitmap.length, bitmap.dirtyBytes]).toEqual([4096, 4096])
  await opened.disk.truncate(12288)
  expect([bitmap.length, bitmap.dirtyBytes]).toEqual([12288, 4096])
})

test('a failed change keeps the length, is accounted for, and leaves nothing in flight', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  recorder.before = (request) => (request.startsWith('truncate') ? Promise.reject(new Error('no space')) : undefined)
  expect(await failure(opened.disk.truncate(8192))).toBe('no space')
  expect([opened.disk.length, opened.node.tracked.size, opened.node.writeGeneration]).toEqual([4096, 0, 1])
})

test('a write into the new area waits until the node has grown', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openRecorder(recorder)
  const hold = gate()
  recorder.before = (request) => (request.startsWith('truncate') ? hold.opened : undefined)
  const growing = truncateNode(opened.node, 8192)
  const inside = opened.disk.write(0, filled(1, 512))
  const { writeNode } = await import('../../src/io/write.ts')
  const behind = writeNode(opened.node, 4096, filled(1, 512))
  await inside
  await settle()
  expect(recorder.take()).toEqual(['truncate 8192', 'write 0+512'])
  hold.open()
  await Promise.all([growing, behind])
  expect(recorder.take()).toEqual(['write 4096+512'])
})

test('growing over a longer backing file asks for zeroes, over a shorter one it does not', async () => {
  for (const [backing, options, zeroNewArea] of [
    [16384, {}, true],
    [8192, {}, false],
    [4096, {}, false],
    [4096, { zeroNewArea: true }, true],
  ] as const) {
    const asked: unknown[] = []
    await using opened = await openSpec(overlay({ length: 8192, backing, onTruncate: (full) => asked.push(full) }))
    await truncateNode(graphNode(opened.disk.root), 12288, options)
    expect(asked).toEqual([{ preallocation: 'off', exact: true, zeroNewArea }])
    await truncateNode(graphNode(opened.disk.root), 4096, { ...options, exact: false, preallocation: 'full' })
    expect(asked[1]).toEqual({ preallocation: 'full', exact: false, zeroNewArea: false })
  }
})

test.each(['off', 'metadata', 'falloc', 'full'] as const)(
  'preallocation=%s reaches the driver, with exactness',
  async (mode) => {
    const got: object[] = []
    await using opened = await openSpec(overlay({ length: 4096, onTruncate: (options) => got.push(options) }))
    await opened.disk.truncate(8192, { preallocation: mode, exact: false })
    await opened.disk.truncate(4096)
    expect(got).toEqual([
      { preallocation: mode, exact: false, zeroNewArea: false },
      { preallocation: 'off', exact: true, zeroNewArea: false },
    ])
  },
)

test('a driver that cannot zero the new area may not grow over a longer backing file', async () => {
  await using opened = await openSpec(overlay({ length: 4096, backing: 65536 }))
  Object.assign(opened.node.layer.writer!, { truncateFlags: undefined })
  expect(await failure(opened.disk.truncate(8192))).toBe('Block driver does not support requested flags')
  expect(opened.disk.length).toBe(4096)
  await opened.disk.truncate(2048)
})

test('bitmaps and users follow where length changes overlap', async () => {
  const recorder = new Recorder(8192)
  await using opened = await openRecorder(recorder)
  const told: number[] = []
  const user = { permissions: { taken: 0, shared: Permissions.all }, onResize: () => told.push(opened.disk.length) }
  opened.graph.backend(opened.node, user)
  const { bitmap } = createDirtyBitmap(opened.node, 4096)
  const hold = gate()
  recorder.before = (request) => (request === 'truncate 8192' ? hold.opened : undefined)
  const back = opened.disk.truncate(8192)
  await opened.disk.truncate(16384)
  hold.open()
  await back
  expect([opened.disk.length, bitmap.length, told]).toEqual([8192, 8192, [16384, 8192]])
})

test('a length that a bitmap cannot follow is refused before anything changes', async () => {
  const asked: number[] = []
  await using opened = await openSpec(overlay({ length: 8192, onTruncate: () => asked.push(1) }))
  const { bitmap } = createDirtyBitmap(opened.node, 512)
  await opened.disk.write(0, filled(1, 512))
  expect(await failure(opened.disk.truncate(2 ** 52))).toBe('Cannot allocate memory')
  expect([opened.disk.length, bitmap.length, bitmap.dirtyBytes, asked]).toEqual([8192, 8192, 512, []])
  expect(opened.node.tracked.size).toBe(0)
  await opened.disk.truncate(16384)
  expect(bitmap.length).toBe(16384)
})
