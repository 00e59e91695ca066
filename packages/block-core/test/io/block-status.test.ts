// Block status of one node, of chains, and the quick question whether all is zero (spec/block-layer.md, sections 22, 23).
import { expect, test } from 'vitest'
import {
  type BlockStatus,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type NodeSpec,
  nodeSpec,
} from '../../src/driver.ts'
import { blockStatusOf, chainStatus, isZeroFast, nodeStatus, readsZero } from '../../src/io/block-status.ts'
import type { GraphNode } from '../../src/node/graph-node.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { listen } from '../helpers/listener.ts'
import { openRecorder, openSpec } from '../helpers/open-recorder.ts'
import { overlay } from '../helpers/overlay.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

const KiB = 1024
const data = (bytes: number, more: Partial<BlockStatus> = {}): BlockStatus => ({
  bytes,
  data: true,
  zero: false,
  ...more,
})
const zero = (bytes: number, more: Partial<BlockStatus> = {}): BlockStatus => ({
  bytes,
  data: false,
  zero: true,
  ...more,
})
const none = (bytes: number, more: Partial<BlockStatus> = {}): BlockStatus => ({
  bytes,
  data: false,
  zero: false,
  ...more,
})

/** A pass-through: filter, or format like raw, with or without an answer of its own. */
function through(below: NodeSpec, kind: 'filter' | 'format', answer?: (offset: number) => BlockStatus): NodeSpec {
  const driver = defineDriver<{ file: ChildSpec }, never>({
    formatName: `through-${kind}`,
    kind,
    options: { file: { name: 'file', type: 'node', help: 'x' } },
    async open(context, options) {
      const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
      return {
        get length() {
          return file.length
        },
        read: (offset, into) => file.read(offset, into),
        ...(answer === undefined ? {} : { mapping: { blockStatus: async (offset) => answer(offset) } }),
        close: async () => {},
      }
    },
  })
  return nodeSpec(driver, { file: below })
}

async function statusOf(spec: NodeSpec, offset: number, bytes: number, wantZero = true) {
  await using opened = await openSpec(spec)
  return nodeStatus(opened.node, offset, bytes, wantZero)
}

test('at and past the end there is nothing but the end', async () => {
  expect(await statusOf(overlay({ length: 4096 }), 4096, 512)).toMatchObject({ bytes: 0, eof: true, allocated: false })
  expect(await statusOf(overlay({ length: 4096 }), 9999, 512)).toMatchObject({ bytes: 0, eof: true })
  expect(await statusOf(overlay({ length: 4096 }), 0, 0)).toMatchObject({ bytes: 0, eof: false })
})

test('an answer is cut to the question and to the length, where it ends', async () => {
  const spec = overlay({ length: 4096, status: () => data(2 ** 30) })
  expect(await statusOf(spec, 1024, 512)).toMatchObject({ bytes: 512, data: true, allocated: true, eof: false })
  expect(await statusOf(spec, 1024, 9999)).toMatchObject({ bytes: 3072, eof: true })
})

test('a driver is asked in whole blocks, and its answer moved back', async () => {
  const asked: number[][] = []
  const status = (offset: number, bytes: number) => {
    asked.push([offset, bytes])
    return data(8192, { hostOffset: 65536 + offset })
  }
  const spec = overlay({ length: 32768, requestAlignment: 4096, status })
  expect(await statusOf(spec, 5000, 1000)).toMatchObject({ bytes: 1000, hostOffset: 70536 })
  expect(await statusOf(spec, 5000, 20000)).toMatchObject({ bytes: 7288 })
  expect(asked).toEqual([
    [4096, 4096],
    [4096, 24576],
  ])
})

test('a driver that answers with nothing is a bug, not an endless loop', async () => {
  const spec = overlay({ length: 4096, status: () => data(0) })
  expect(await failure(statusOf(spec, 0, 512))).toBe('overlay answers a block status with 0 bytes')
})

test('drivers without an answer: protocols have data where it is, formats have data somewhere', async () => {
  const protocol = await statusOf(record(new Recorder(4096)), 512, 1024)
  expect(protocol).toMatchObject({ bytes: 1024, data: true, zero: false, allocated: true, hostOffset: 512 })
  expect(protocol.file?.driverName).toBe('recorder')
  const format = await statusOf(through(record(new Recorder(4096)), 'format'), 512, 1024)
  expect(format).toMatchObject({ bytes: 1024, data: true, allocated: true, file: undefined })
})

test('a pass-through gives what its file says', async () => {
  for (const spec of [
    through(overlay({ length: 4096, status: () => zero(1024) }), 'filter'),
    through(overlay({ length: 8192, status: () => zero(1024) }), 'format', (offset) =>
      none(4096, { raw: true, hostOffset: 4096 + offset }),
    ),
  ])
    expect(await statusOf(spec, 0, 4096)).toMatchObject({ bytes: 1024, zero: true, allocated: true })
})

test('a pass-through that is longer than its file reads as zero there', async () => {
  const spec = through(overlay({ length: 4096 }), 'format', () => none(4096, { raw: true, hostOffset: 8192 }))
  expect(await statusOf(spec, 0, 4096)).toMatchObject({ bytes: 4096, zero: true, allocated: true })
})

test('a pass-through into nothing is data', async () => {
  const spec = through(overlay({ length: 4096 }), 'format', () => none(4096, { raw: true }))
  expect(await statusOf(spec, 0, 4096)).toMatchObject({ bytes: 4096, data: true, allocated: true, file: undefined })
})

test('unallocated without a backing file reads as zero, and is not this layer’s', async () => {
  expect(await statusOf(overlay({ length: 4096 }), 0, 4096)).toMatchObject({
    zero: true,
    data: false,
    allocated: false,
  })
})

test('unallocated over a backing file: zero only from its end on, and only where zeroes are asked for', async () => {
  const spec = overlay({ length: 8192, backing: 4096 })
  expect(await statusOf(spec, 4096, 4096)).toMatchObject({ bytes: 4096, zero: true, allocated: false })
  expect(await statusOf(spec, 3584, 4096)).toMatchObject({ bytes: 4096, zero: false })
  expect(await statusOf(spec, 4096, 4096, false)).toMatchObject({ bytes: 4096, zero: false, allocated: false })
})

test('where the format allows, the file is asked for zeroes', async () => {
  const file = (answer: BlockStatus, length = 65536) => overlay({ length, status: () => answer })
  const over = (below: NodeSpec, own: Partial<BlockStatus> = {}) =>
    overlay({ length: 4096, file: below, status: () => data(4096, { hostOffset: 8192, recurse: true, ...own }) })
  expect(await statusOf(over(file(zero(1024))), 0, 4096)).toMatchObject({ bytes: 1024, data: true, zero: true })
  expect(await statusOf(over(file(data(1024))), 0, 4096)).toMatchObject({ bytes: 1024, data: true, zero: false })
  expect(await statusOf(over(file(zero(1024))), 0, 4096, false)).toMatchObject({ bytes: 4096, zero: false })
  expect(await statusOf(over(file(zero(1024)), { recurse: false }), 0, 4096)).toMatchObject({
    bytes: 4096,
    zero: false,
  })
  // Past the file's end, or in zeroes that reach it, the whole run reads as zero.
  expect(await statusOf(over(file(zero(1024), 8192)), 0, 4096)).toMatchObject({ bytes: 4096, zero: true })
  expect(await statusOf(over(file(zero(1024), 9216)), 0, 4096)).toMatchObject({ bytes: 4096, zero: true })
  expect(await statusOf(over(file(data(1024), 9216)), 0, 4096)).toMatchObject({ bytes: 1024, zero: false })
})

test('a driver names the child in which the offset counts', async () => {
  const spec = overlay({
    length: 4096,
    file: record(new Recorder(512)),
    backing: 4096,
    status: () => data(4096, { hostOffset: 0, child: 'backing' }),
  })
  const status = await statusOf(spec, 0, 512)
  expect(status.file?.driverName).toBe('memory')
})

/** top (nothing) over mid (1 KiB of data, then nothing) over base (zeroes). */
function threeImages(lengths: { mid?: number; base?: number } = {}): NodeSpec {
  const base = overlay({ length: lengths.base ?? 8192, status: (_offset, bytes) => zero(bytes) })
  const status = (offset: number) => (offset < KiB ? data(KiB - offset) : none(2 * KiB))
  const mid = overlay({ length: lengths.mid ?? 8192, backing: base, status })
  return overlay({ length: 8192, backing: through(mid, 'filter') })
}

test('a chain is walked until some layer has the content; filters count as layers', async () => {
  await using opened = await openSpec(threeImages())
  const { node } = opened
  const at = (offset: number, base?: string) =>
    chainStatus(node, base === undefined ? undefined : lower(node, base), offset, 8192, true)
  expect(await at(0)).toMatchObject({ bytes: KiB, data: true, depth: 2, eof: false })
  expect(await at(KiB)).toMatchObject({ bytes: 2 * KiB, zero: true, allocated: true, depth: 4, eof: false })
  expect(await at(KiB, 'base')).toMatchObject({ bytes: 2 * KiB, allocated: false, zero: false })
  expect(await at(0, 'filter')).toMatchObject({ bytes: 8192, allocated: false, depth: 1, eof: true })
  expect(await at(8192)).toMatchObject({ bytes: 0, eof: true })
})

function lower(node: GraphNode, which: string): GraphNode {
  const filter = node.chainEdge!.node
  return which === 'filter' ? filter : filter.chainEdge!.node.chainEdge!.node
}

test('a layer that is too short hides all beneath it and reads as zero', async () => {
  await using opened = await openSpec(threeImages({ mid: 2048 }))
  const status = await chainStatus(opened.node, undefined, 4096, 4096, false)
  expect(status).toMatchObject({ bytes: 4096, zero: true, allocated: true, depth: 2, eof: true })
  expect(status.node.length).toBe(2048)
  // Inside, its end cuts the run.
  expect(await chainStatus(opened.node, undefined, KiB, 4096, true)).toMatchObject({
    bytes: KiB,
    zero: true,
    eof: false,
  })
})

test('one image: filters are looked through, backing files are not', async () => {
  const image = overlay({ length: 4096, backing: 4096 })
  await using opened = await openSpec(through(through(image, 'filter'), 'filter'))
  expect(await blockStatusOf(opened.node, 0, 4096, true)).toMatchObject({ bytes: 4096, allocated: false, zero: false })
})

test('all zero: one quick answer over the whole chain, never a read', async () => {
  const recorder = new Recorder(4096)
  const of = async (spec: NodeSpec, offset = 0, bytes = 4096) => {
    await using opened = await openSpec(spec)
    return isZeroFast(opened.node, offset, bytes)
  }
  expect(await of(overlay({ length: 4096, backing: 0 }))).toBe(true)
  expect(await of(overlay({ length: 4096, status: () => zero(4096) }))).toBe(true)
  expect(await of(overlay({ length: 4096, status: () => zero(2048) }))).toBe(false)
  expect(await of(overlay({ length: 4096, backing: memory(new MemoryStore(4096)) }))).toBe(false)
  expect(await of(overlay({ length: 4096, status: () => data(4096) }), 4096)).toBe(true)
  expect(await of(overlay({ length: 4096, backing: listen(recorder) }))).toBe(false)
  expect(recorder.log.filter((request) => request.startsWith('read'))).toEqual([])
})

test('all zero, part by part: behind a short backing file, too', async () => {
  const recorder = new Recorder(4096)
  const of = async (spec: NodeSpec, offset = 0, bytes = 4096) => {
    await using opened = await openSpec(spec)
    return await readsZero(opened.node, offset, bytes)
  }
  expect(await of(overlay({ length: 4096, status: () => zero(1024) }))).toBe(true)
  expect(await of(overlay({ length: 4096, status: () => zero(1024) }), 512, 8192)).toBe(true)
  expect(await of(overlay({ length: 4096, status: (offset) => (offset < 2048 ? zero(1024) : data(1024)) }))).toBe(false)
  // A quick look does not know where the backing file ends.
  const short = overlay({ length: 4096, backing: memory(new MemoryStore(2048)) })
  expect([await of(short, 2048, 2048), await of(short, 1024, 2048)]).toEqual([true, false])
  expect(await of(overlay({ length: 4096, backing: listen(recorder) }))).toBe(false)
  expect(recorder.log.filter((request) => request.startsWith('read'))).toEqual([])
})

test('a protocol is not asked again about data that it knows, until some of it may be zeroes', async () => {
  const recorder = new Recorder(65536)
  await using opened = await openRecorder(recorder)
  const asked: number[] = []
  const answer = { bytes: 32768, data: true, zero: false }
  Object.assign(opened.node.layer, {
    mapping: {
      blockStatus: async (offset: number, bytes: number) => {
        asked.push(offset)
        return { ...answer, bytes: Math.min(bytes, answer.bytes), hostOffset: offset }
      },
    },
  })
  const ask = (offset: number, wantZero = true) => nodeStatus(opened.node, offset, 65536, wantZero)
  // Without zeroes being asked for, "data" may be said of zeroes too: nothing is learned from it.
  await ask(0, false)
  await ask(0)
  expect(await ask(4096)).toMatchObject({ bytes: 28672, data: true, hostOffset: 4096, file: opened.node })
  expect(await ask(4096, false)).toMatchObject({ bytes: 28672 })
  expect(asked).toEqual([0, 0])
  await opened.disk.write(0, new Uint8Array(512))
  await ask(0)
  expect(asked).toEqual([0, 0])
  await opened.disk.writeZeroes(40000, 512)
  await ask(0)
  expect(asked).toEqual([0, 0])
  for (const change of [
    () => opened.disk.writeZeroes(16384, 512),
    () => opened.disk.discard(16384, 512),
    () => opened.disk.truncate(16384),
  ]) {
    await ask(0)
    asked.length = 0
    await change()
    await ask(0)
    expect(asked).toEqual([0])
  }
})
