// So many requests at a time, in the order in which they came; drained and closed gates let nobody in.
import { expect, test } from 'vitest'
import { RequestGate } from '../../src/backend/request-gate.ts'
import { doneAtOnce } from '../../src/driver.ts'
import { createBlockGraph, Permissions } from '../../src/index.ts'
import { gate as opening, openSpec, settle } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'

/** Enters and notes its number when it is in. */
function enter(gate: RequestGate, log: number[], number: number): void {
  const wait = gate.enter()
  if (wait === undefined) log.push(number)
  else void wait.then(() => log.push(number))
}

test('who comes when all places are taken waits for the next free one', async () => {
  const gate = new RequestGate({ maxInFlight: 2 })
  const log: number[] = []
  for (let i = 0; i < 5; i++) enter(gate, log, i)
  expect([log, gate.inFlight]).toEqual([[0, 1], 2])
  gate.leave()
  await settle()
  // Nobody overtakes those who wait.
  enter(gate, log, 5)
  gate.leave()
  gate.leave()
  await settle()
  expect([log, gate.inFlight]).toEqual([[0, 1, 2, 3, 4], 2])
})

test('a drained gate lets in nobody, and everybody in order afterwards', async () => {
  const gate = new RequestGate()
  const log: number[] = []
  enter(gate, log, 0)
  let drained = false
  void gate.quiesce().then(() => {
    drained = true
  })
  enter(gate, log, 1)
  enter(gate, log, 2)
  await settle()
  expect([log, drained]).toEqual([[0], false])
  gate.leave()
  await settle()
  expect([log, drained]).toEqual([[0], true])
  gate.unquiesce()
  await settle()
  expect(log).toEqual([0, 1, 2])
})

test('an owner that stops by itself is not stopped', async () => {
  const gate = new RequestGate({ ignoreDrain: true })
  await gate.quiesce()
  expect(gate.enter()).toBeUndefined()
})

test('a closed gate refuses those who wait and those who come', async () => {
  const gate = new RequestGate({ maxInFlight: 1 })
  expect(gate.enter()).toBeUndefined()
  const waiting = gate.enter()
  const closed = gate.close()
  await expect(waiting).rejects.toThrow('No medium found')
  expect(() => gate.enter()).toThrow('No medium found')
  gate.leave()
  await closed
  expect(() => new RequestGate({ maxInFlight: 0 })).toThrow('maxInFlight must be at least 1')
})

test('thousands wait and all get in, in order', async () => {
  const gate = new RequestGate({ maxInFlight: 7 })
  const log: number[] = []
  const run = async (i: number): Promise<void> => {
    const wait = gate.enter()
    if (wait !== undefined) await wait
    log.push(i)
    await new Promise((resolve) => setImmediate(resolve))
    gate.leave()
  }
  await Promise.all(Array.from({ length: 5000 }, (_, i) => run(i)))
  expect(log).toEqual(Array.from({ length: 5000 }, (_, i) => i))
  expect(gate.inFlight).toBe(0)
})

test('a backend keeps its bound, and drains with requests waiting', async () => {
  const recorder = new Recorder(65536)
  let live = 0
  let most = 0
  recorder.before = async () => {
    most = Math.max(most, ++live)
    await new Promise((resolve) => setImmediate(resolve))
    live--
  }
  await using opened = await openSpec(record(recorder))
  const permissions = { taken: Permissions.consistentRead, shared: Permissions.all }
  await using few = opened.graph.backend(opened.disk.root, { permissions, maxInFlight: 3 })
  const reads = Array.from({ length: 50 }, () => few.read(0, new Uint8Array(512)))
  const { drainNode } = await import('../../src/index.ts')
  const end = await drainNode(opened.disk.root)
  expect(live).toBe(0)
  end()
  await Promise.all(reads)
  expect(most).toBe(3)
})

test('a user is told of another length', async () => {
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const disk = await graph.open(record(new Recorder(4096)))
  const lengths: number[] = []
  const permissions = { taken: Permissions.consistentRead, shared: Permissions.all }
  const watcher = graph.backend(disk.root, { permissions, onResize: () => lengths.push(disk.length) })
  await disk.truncate(8192)
  await disk.truncate(8192)
  await disk.write(0, new Uint8Array(512))
  const { writeNode } = await import('../../src/io/write.ts')
  const { graphNode } = await import('../../src/node/graph-node.ts')
  await writeNode(graphNode(disk.root), 16384, new Uint8Array(512))
  expect(lengths).toEqual([8192, 16896])
  await watcher.close()
})

test('what runs through a gate is in flight until it has ended, however it ends', async () => {
  const gate = new RequestGate()
  const held = opening()
  const running = gate.through(() => held.opened)
  expect(gate.inFlight).toBe(1)
  held.open()
  await running
  expect(gate.inFlight).toBe(0)
  expect(gate.through(() => doneAtOnce)).toBe(doneAtOnce)
  const thrown = gate.through(() => {
    throw new Error('thrown')
  })
  await expect(thrown).rejects.toThrow('thrown')
  await expect(gate.through(() => Promise.reject(new Error('rejected')))).rejects.toThrow('rejected')
  expect(gate.inFlight).toBe(0)
  await gate.close()
  await expect(gate.through(() => doneAtOnce)).rejects.toMatchObject({ code: 'ENOMEDIUM' })
})

test('a request that began at a free gate counts only if it goes on, and frees its place', async () => {
  const gate = new RequestGate({ maxInFlight: 1 })
  expect(gate.isFree).toBe(true)
  expect([gate.follow(doneAtOnce) === doneAtOnce, gate.inFlight]).toEqual([true, 0])
  const held = opening()
  const running = gate.follow(held.opened)
  expect([gate.inFlight, gate.isFree]).toEqual([1, false])
  const log: number[] = []
  enter(gate, log, 1)
  held.open()
  await running
  await settle()
  expect([log, gate.inFlight, gate.isFree]).toEqual([[1], 1, false])
  gate.leave()
  await gate.quiesce()
  expect(gate.isFree).toBe(false)
})
