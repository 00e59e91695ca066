// Switching between read-only and writable: order of locks, flushes and drivers, and the way back from every failure.
import { expect, test } from 'vitest'
import { ChildRoles, type ChildSpec, defineDriver, type NodeSpec, nodeSpec } from '../../src/driver.ts'
import { setReadOnly } from '../../src/graph/reopen.ts'
import { createBlockGraph, Permissions, reopenReadOnly } from '../../src/index.ts'
import { type GraphNode, graphNode } from '../../src/node/graph-node.ts'
import { filled } from '../../src/testing/patterns.ts'
import { filterOver } from '../helpers/filter.ts'
import { gate, openSpec, settle } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { failure, world } from '../helpers/world.ts'

const { write, all } = Permissions

/** A format over a recorder that writes a mark when it becomes writable, and another when it becomes read-only. */
const marking = defineDriver<{ file: ChildSpec; recorder: Recorder }, never>({
  formatName: 'marking',
  kind: 'format',
  options: {
    file: { name: 'file', type: 'node', help: 'x' },
    recorder: { name: 'recorder', type: 'string', help: 'only in code' },
  },
  async open(context, { file: spec, recorder }) {
    const file = await context.attach('file', ChildRoles.image, spec)
    return {
      get length() {
        return file.length
      },
      read: (offset, into) => file.read(offset, into),
      writer: { write: (offset, data) => file.write(offset, data) },
      reopen: async ({ readOnly }) => {
        await recorder.note(`format ${readOnly ? 'ro' : 'rw'}, lock ${(recorder.permissions?.taken ?? 0) & write}`)
        await file.write(readOnly ? 512 : 0, filled(1, 512))
      },
      close: async () => {},
    }
  },
})

function image(recorder: Recorder, extra: Partial<NodeSpec> = {}): NodeSpec {
  return nodeSpec(marking, { recorder, file: record(recorder, extra) })
}

const state = (node: GraphNode) => [node.readOnly, graphNode(node.children.get('file')!).readOnly]

// A format may write as soon as it is told that it may; the locks that keep others out come before.
test('to writable: the file, its locks, then the format', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(image(recorder), { readOnly: true })
  await reopenReadOnly(opened.node, false)
  expect(recorder.take()).toEqual(['reopen rw', 'format rw, lock 2', 'write 0+512'])
  expect(state(opened.node)).toEqual([false, false])
})

// Nothing of a read-only file is ever flushed again: what the format wrote last must be durable before.
test('to read-only: the format, a flush of what it wrote, the locks, then the file', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(image(recorder), { readOnly: true })
  await reopenReadOnly(opened.node, false)
  recorder.take()
  await reopenReadOnly(opened.node, true)
  expect(recorder.take()).toEqual(['flush', 'format ro, lock 2', 'write 512+512', 'flush', 'reopen ro'])
  expect(state(opened.node)).toEqual([true, true])
  expect(recorder.permissions!.taken & write).toBe(0)
})

test('nothing happens where nothing is to change', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(image(recorder), { readOnly: true })
  await reopenReadOnly(opened.node, true)
  expect(recorder.take()).toEqual([])
})

test('a driver that cannot is named, before anything changes', async () => {
  await using opened = await openSpec(
    nodeSpec(
      defineDriver<{ file: ChildSpec }, never>({
        formatName: 'rigid',
        kind: 'format',
        options: { file: { name: 'file', type: 'node', help: 'x' } },
        async open(context, options) {
          await context.attach('file', ChildRoles.image, options.file)
          return { length: 512, read: async () => {}, close: async () => {} }
        },
      }),
      { file: record(new Recorder(4096)) },
      { nodeName: 'r' },
    ),
    { readOnly: true },
  )
  const text = "Block format 'rigid' used by node 'r' does not support reopening files"
  expect(await failure(reopenReadOnly(opened.node, false))).toBe(text)
  expect(state(opened.node)).toEqual([true, true])
})

test('a node with writers does not become read-only', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(image(recorder))
  const text = `Read-only block node '${opened.node.nodeName}' cannot support read-write users`
  expect(await failure(reopenReadOnly(opened.node, true))).toBe(text)
  await opened.disk.write(0, filled(1, 512))
  expect(state(opened.node)).toEqual([false, false])
})

test('a file that others write stays writable, and so does the format', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const recorder = new Recorder(4096)
  const disk = await graph.open(filterOver(record(recorder), {}), {})
  const node = graphNode(disk.root)
  const file = graphNode(node.children.get('file')!)
  const other = graph.backend(file, { permissions: { taken: write, shared: all } })
  graph.backend(node, { permissions: { taken: 0, shared: all } })
  await disk.close()
  const text = `Read-only block node '${file.nodeName}' cannot support read-write users`
  expect(await failure(setReadOnly(node, true))).toBe(text)
  expect(state(node)).toEqual([false, false])
  await other.close()
  await setReadOnly(node, true)
  expect(state(node)).toEqual([true, true])
})

test.each([
  ['the file cannot', 'reopen rw', ['reopen rw']],
  ['the format cannot', 'format rw', ['reopen rw', 'format rw, lock 2', 'reopen ro']],
  [
    'the format’s first write fails',
    'write 0+512',
    ['reopen rw', 'format rw, lock 2', 'write 0+512', 'flush', 'reopen ro'],
  ],
])('back to read-only where %s', async (_name, refused, requests) => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(image(recorder), { readOnly: true })
  recorder.before = (request) => (request.startsWith(refused) ? Promise.reject(new Error('refused')) : undefined)
  expect(await failure(reopenReadOnly(opened.node, false))).toBe('refused')
  expect(recorder.take()).toEqual(requests)
  expect(state(opened.node)).toEqual([true, true])
  expect(recorder.permissions!.taken & write).toBe(0)
  recorder.before = undefined
  await reopenReadOnly(opened.node, false)
  expect(state(opened.node)).toEqual([false, false])
})

test('back to read-only where the lock is not to be had', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(image(recorder), { readOnly: true })
  recorder.lock = ({ taken }) => {
    if ((taken & write) !== 0) throw new Error('Failed to get "write" lock')
  }
  expect(await failure(reopenReadOnly(opened.node, false))).toBe('Failed to get "write" lock')
  expect(recorder.take()).toEqual([])
  expect(state(opened.node)).toEqual([true, true])
})

test('back to writable where the file does not become read-only', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(image(recorder), { readOnly: true })
  await reopenReadOnly(opened.node, false)
  recorder.before = (request) => (request === 'reopen ro' ? Promise.reject(new Error('refused')) : undefined)
  expect(await failure(reopenReadOnly(opened.node, true))).toBe('refused')
  expect(state(opened.node)).toEqual([false, false])
  expect(recorder.permissions!.taken & write).toBe(write)
  recorder.before = undefined
})

test('a failure on the way back is kept beside the first one', async () => {
  const recorder = new Recorder(4096)
  const { BlockError } = await import('../../src/errors.ts')
  await using opened = await openSpec(image(recorder), { readOnly: true })
  recorder.before = async (request) => {
    if (request.startsWith('format rw')) throw BlockError.fromErrno('EACCES')
    if (request === 'reopen ro') throw new Error('no way back')
  }
  const error = await reopenReadOnly(opened.node, false).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'EACCES', message: 'Permission denied' })
  expect((error as Error).cause).toMatchObject({ errors: [{ code: 'EACCES' }, { message: 'no way back' }] })
  recorder.before = undefined
})

test('users are stopped meanwhile', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(image(recorder), { readOnly: true })
  const hold = gate()
  recorder.before = (request) => (request === 'reopen rw' ? hold.opened : undefined)
  const reopening = reopenReadOnly(opened.node, false)
  await settle()
  const reading = opened.disk.read(0, new Uint8Array(512))
  await settle()
  expect(recorder.take()).toEqual(['reopen rw'])
  hold.open()
  await Promise.all([reopening, reading])
  expect(recorder.take()).toContain('read 0+512')
})

test('a file that the user wants read-only is not taken along', async () => {
  const recorder = new Recorder(4096)
  await using opened = await openSpec(image(recorder, { readOnly: true }), { readOnly: true })
  expect(await failure(reopenReadOnly(opened.node, false))).toBe('Block node is read-only')
  expect([state(opened.node), recorder.take()]).toEqual([[true, true], []])
})

test('a backing file becomes writable with its own file; the image above stays as it is', async () => {
  const one = world()
  await using graph = one.graph
  await graph.create('toy', 'base', { size: 65536 })
  await graph.create('toy', 'top', { size: 65536, backing: { filename: 'base', format: 'toy' } })
  const top = graphNode((await graph.open('top', { readOnly: true })).root)
  const base = graphNode(top.backing!)
  await reopenReadOnly(base, false)
  expect([state(top), state(base)]).toEqual([
    [true, true],
    [false, false],
  ])
  await reopenReadOnly(top, false)
  await reopenReadOnly(base, true)
  expect([state(top), state(base)]).toEqual([
    [false, false],
    [true, true],
  ])
})

test('the message of a file that cannot be opened writable is the driver’s', async () => {
  const one = world()
  await using graph = one.graph
  await graph.create('toy', 'later', { size: 65536 })
  one.files.set('readonly', one.files.get('later')!)
  const disk = await graph.open('readonly', { readOnly: true })
  expect(await failure(reopenReadOnly(disk.root, false))).toBe("Could not open 'readonly': Permission denied")
  expect(disk.root.readOnly).toBe(true)
})

test('with keepOld, what is not given stays as it is', async () => {
  const { graph } = world()
  await graph.create('toy', 'disk', { size: 4096 })
  const disk = await graph.open('disk', { format: 'toy', cache: { noFlush: true } })
  const node = disk.root
  await graph.reopen([{ node, options: new Map([['detect-zeroes', 'on']]), keepOld: true }])
  expect([graphNode(node).detectZeroes, graphNode(node).flags.noFlush, node.readOnly]).toEqual(['on', true, false])
  await graph.reopen([{ node, options: new Map() }])
  expect([graphNode(node).detectZeroes, graphNode(node).flags.noFlush]).toEqual(['off', false])
  await graph.close()
})
