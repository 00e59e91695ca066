// A request that its driver finished at once costs no turn; one that the driver refuses by throwing is still a rejection.
import { expect, test } from 'vitest'
import { type BlockLayer, defineDriver, doneAtOnce, nodeSpec } from '../../src/driver.ts'
import { createBlockGraph } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { gate } from '../helpers/open-recorder.ts'
import { failure } from '../helpers/world.ts'

/** A node of 64 KiB whose reads are done by `read`. */
function reading(read: BlockLayer['read']) {
  const driver = defineDriver<Record<never, never>>({
    formatName: 'quick',
    protocolName: 'quick',
    kind: 'protocol',
    options: {},
    open: async () => ({ length: 65536, read, close: async () => {} }),
  })
  return nodeSpec(driver, {})
}

async function openReading(read: BlockLayer['read']) {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(reading(read), { readOnly: true })
  return { disk, node: graphNode(disk.root), [Symbol.asyncDispose]: () => graph.close() }
}

test('the very promise comes back through the node and its user', async () => {
  await using opened = await openReading((_offset, into) => {
    into.fill(7)
    return doneAtOnce
  })
  const into = new Uint8Array(4096)
  expect(opened.disk.read(4096, into)).toBe(doneAtOnce)
  expect(into).toEqual(new Uint8Array(4096).fill(7))
  expect(opened.node.tracked.size).toBe(0)
})

test('any other promise is waited for, and the request counts as in flight until then', async () => {
  const held = gate()
  await using opened = await openReading(() => held.opened)
  const reading = opened.disk.read(0, new Uint8Array(512))
  expect(reading).not.toBe(doneAtOnce)
  expect(opened.node.tracked.size).toBe(1)
  held.open()
  await reading
  expect(opened.node.tracked.size).toBe(0)
})

test('a driver that throws instead of rejecting fails the request, and nothing stays in flight', async () => {
  await using opened = await openReading(() => {
    throw new Error('a mistake of the driver')
  })
  expect(await failure(opened.disk.read(0, new Uint8Array(512)))).toBe('a mistake of the driver')
  expect(opened.node.tracked.size).toBe(0)
})

test('a read that would have to wait behind a serialising request does not overtake it', async () => {
  let reads = 0
  await using opened = await openReading((_offset, into) => {
    reads++
    into.fill(1)
    return doneAtOnce
  })
  const { tracked } = opened.node
  const writer = tracked.begin(0, 4096)
  tracked.makeSerialising(writer, 1)
  const reading = opened.disk.read(0, new Uint8Array(512))
  await new Promise((resolve) => setImmediate(resolve))
  expect(reads).toBe(0)
  tracked.end(writer)
  await reading
  expect(reads).toBe(1)
})
