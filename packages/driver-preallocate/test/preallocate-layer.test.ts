/** Proves when the file grows and by how much, what the node hides of it, and that nothing is left of it at the end. */

import { BlockError, type Child, type OpenContext, Permissions } from '@blocklayer/block-core/driver'
import { memory } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { PreallocateLayer } from '../src/preallocate-layer.ts'
import { filled, NotingStore, openBelowFormat } from './support.ts'

const KiB = 1024

describe('writes', () => {
  test('one past the end makes the file longer than it needs, the next ones do not', async () => {
    const store = new NotingStore(4096)
    const { file, format } = await openBelowFormat(store)
    await file.write(0, filled(1, 4096))
    expect(store.take()).toEqual(['write 0 4096'])
    await file.write(4096, filled(2, 1000))
    // 5096 + 65536, up to whole 4 KiB.
    expect(store.take()).toEqual(['zero 4096 69632', 'write 4096 1000'])
    expect([file.length, store.length]).toEqual([5120, 73728])
    for (let at = 5096; at < 65536; at += 4096) await file.write(at, filled(3, 4096))
    expect(store.take().every((line) => line.startsWith('write'))).toBe(true)
    expect([file.length, store.length]).toEqual([66560, 73728])
    await file.write(70_000, [filled(4, 2000), filled(5, 2000)])
    expect(store.take()).toEqual(['zero 73728 69632', 'write 70000 4000'])
    const into = filled(9, 4000)
    await file.read(70_000, into)
    expect(into).toEqual(Uint8Array.from([...filled(4, 2000), ...filled(5, 2000)]))
    await format.close()
    expect(store.take()).toEqual(['length 74000'])
  })

  test('many at once wait for one growth, and none is lost below its zeroes', async () => {
    const store = new NotingStore(0)
    const { file, format } = await openBelowFormat(store, { preallocSize: 8192, preallocAlign: 512 })
    const writes = Array.from({ length: 64 }, (_, i) => file.write(i * 1000, filled(i + 1, 1000)))
    await Promise.all(writes)
    expect(store.log.filter((line) => line.startsWith('zero')).length).toBeLessThan(10)
    await format.close()
    expect(store.length).toBe(64_000)
    for (let i = 0; i < 64; i++) {
      expect(store.bytes().subarray(i * 1000, (i + 1) * 1000)).toEqual(filled(i + 1, 1000))
    }
  })

  // Its zeroes may still be on their way when the file is as long as they make it.
  test('what ends in a tail that is being made waits for it', async () => {
    const log: string[] = []
    let finish: (() => void) | undefined
    const file = {
      length: 0,
      writeZeroes: (offset: number, bytes: number) => {
        file.length = offset + bytes
        return new Promise<void>((resolve) => (finish = resolve))
      },
      write: async (offset: number) => void log.push(`write ${offset}`),
    }
    const layer = new PreallocateLayer(file as unknown as Child, { align: 4096, size: 0 }, {} as OpenContext)
    layer.setPermissions({ taken: 15 })
    const writes = [0, 1024].map((offset) => layer.writer.write(offset, filled(1, 512), { fua: false }))
    await new Promise((resolve) => setImmediate(resolve))
    expect(log).toEqual([])
    finish?.()
    await Promise.all(writes)
    expect(log).toEqual(['write 0', 'write 1024'])
  })

  test('without a need for it the file keeps its length', async () => {
    const store = new NotingStore(4096)
    const { file, format } = await openBelowFormat(store)
    await file.write(100, filled(1, 100))
    await file.writeZeroes(0, 4096)
    await file.flush()
    await format.close()
    expect(store.log).toEqual(['write 100 100', 'zero 0 4096'])
  })

  test('a file that cannot be made longer by zeroes is written as it is', async () => {
    const store = new NotingStore(0)
    const opened = await openBelowFormat(store, undefined, memory(store, { zeroes: false }))
    await opened.file.write(0, filled(1, 512))
    await opened.file.write(512, filled(2, 512))
    expect(store.take()).toEqual(['write 0 512', 'write 512 512'])
    await opened.file.writeZeroes(1024, 512)
    expect(store.take()).toEqual(['write 1024 512'])
    await opened.format.close()
    expect(store.length).toBe(1536)
  })

  test('more than any file can hold is not tried', async () => {
    const store = new NotingStore(0)
    const { file } = await openBelowFormat(store, { preallocSize: 2n ** 63n })
    await file.write(0, filled(1, 512))
    expect(store.take()).toEqual(['write 0 512'])
  })

  test('what is not a failure of the file is not hidden', async () => {
    const broken = {
      length: 0,
      writeZeroes: () => Promise.reject(new TypeError('a bug')),
      write: async () => {},
    }
    const layer = new PreallocateLayer(broken as unknown as Child, { align: 1, size: 1 }, {} as OpenContext)
    layer.setPermissions({ taken: 15 })
    await expect(layer.writer.write(0, filled(1, 1), { fua: false })).rejects.toThrow('a bug')
  })
})

describe('zero writes', () => {
  test('in the tail they cost nothing, until data was written there', async () => {
    const store = new NotingStore(4096)
    const { file } = await openBelowFormat(store)
    await file.write(4096, filled(1, 4096))
    store.take()
    await file.writeZeroes(8192, 4096)
    await file.writeZeroes(16384, 4096, { noFallback: true })
    expect([store.take(), file.length]).toEqual([[], 20480])
    await file.write(12288, filled(2, 100))
    await file.writeZeroes(12288, 4096)
    expect(store.take()).toEqual(['write 12288 100', 'zero 12288 4096'])
    await file.writeZeroes(20480, 4096)
    expect(store.take()).toEqual([])
    await file.discard(20480, 4096)
    await file.writeZeroes(20480, 4096)
    expect(store.take()).toEqual(['discard 20480 4096', 'zero 20480 4096'])
  })

  test('past the tail they grow the file in the same request', async () => {
    const store = new NotingStore(4096)
    const { file, format } = await openBelowFormat(store)
    await file.writeZeroes(4096, 4096)
    expect(store.take()).toEqual(['zero 4096 69632'])
    await file.writeZeroes(1000, 4096)
    expect(store.take()).toEqual(['zero 1000 4096'])
    await file.writeZeroes(70_000, 10_000)
    expect(store.take()).toEqual(['zero 70144 77312'])
    await file.write(79_000, filled(1, 1000))
    await file.writeZeroes(79_100, 100_000)
    expect(store.take()).toEqual(['write 79000 1000', 'zero 79360 166400', 'zero 79100 100000'])
    expect(file.length).toBe(179_200)
    await format.close()
    expect(store.take()).toEqual(['length 179100'])
  })
})

describe('length changes', () => {
  test('shorter: the tail goes with it', async () => {
    const store = new NotingStore(4096)
    const { file } = await openBelowFormat(store)
    await file.write(4096, filled(1, 4096))
    store.take()
    await file.truncate(1024)
    expect([store.take(), file.length, store.length]).toEqual([['length 1024'], 1024, 1024])
    await file.write(1024, filled(2, 512))
    expect(store.take()).toEqual(['zero 1024 68608', 'write 1024 512'])
  })

  test('longer: the tail goes first', async () => {
    const store = new NotingStore(0)
    const { file, format } = await openBelowFormat(store)
    await file.write(0, filled(1, 4096))
    store.take()
    await file.truncate(8192)
    expect([store.take(), file.length]).toEqual([['length 4096', 'length 8192'], 8192])
    await file.truncate(8192)
    await format.close()
    expect(store.take()).toEqual(['length 8192'])
  })

  test('longer and allocated: the tail is', async () => {
    const store = new NotingStore(0)
    const { file, format } = await openBelowFormat(store)
    await file.write(0, filled(1, 4096))
    store.take()
    await file.truncate(65536, { preallocation: 'falloc' })
    expect([store.take(), file.length]).toEqual([[], 65536])
    await file.truncate(81920, { preallocation: 'falloc' })
    expect([store.take(), file.length]).toEqual([['length 81920'], 81920])
    await file.writeZeroes(65536, 4096)
    expect(store.take()).toEqual([])
    await format.close()
    expect(store.length).toBe(81920)
  })

  test('a length that need not be exact takes nothing away', async () => {
    const store = new NotingStore(0)
    const { file } = await openBelowFormat(store)
    await file.write(0, filled(1, 4096))
    const lengths = (exact: boolean) => file.truncate(512, { exact }).then(() => file.length)
    expect(await lengths(false)).toBe(4096)
  })

  test('before any write the file is changed as it is', async () => {
    const store = new NotingStore(4096)
    const { file } = await openBelowFormat(store)
    await file.truncate(8192, { preallocation: 'falloc' })
    expect([store.take(), file.length]).toEqual([['length 8192'], 8192])
  })
})

describe('permissions', () => {
  test('who may not resize gets no tail', async () => {
    const store = new NotingStore(4096)
    const { graph, file, format } = await openBelowFormat(store)
    const filter = file.node
    const reader = graph.backend(filter, { permissions: { taken: Permissions.consistentRead, shared: 15 } })
    await file.write(4096, filled(1, 512))
    expect(store.length).toBeGreaterThan(65536)
    await format.close()
    await reader.read(0, filled(0, 512))
    // The format is gone, the node is not: the tail is cut off, and the file may be written by others again.
    await reader.flush()
    expect([store.length, filter.length]).toEqual([4608, 4608])
    const [memoryNode] = [...filter.children.values()]
    const other = graph.backend(memoryNode!, {
      permissions: { taken: Permissions.write | Permissions.resize, shared: 15 },
    })
    await other.truncate(512)
    expect(filter.length).toBe(512)
    await other.close()
    await reader.close()
  })

  test('the file is its own while it may grow', () => {
    const layer = new PreallocateLayer({ length: 0, info: {} } as Child, { align: 1, size: 1 }, {} as OpenContext)
    const asked = (taken: number, shared: number) =>
      layer.childPermissions('file', { taken, shared }, { taken, shared })
    expect(asked(0, 15)).toEqual({ taken: 0, shared: 15 })
    expect(asked(3, 7)).toEqual({ taken: 3, shared: 7 })
    expect(asked(10, 15)).toEqual({ taken: 10, shared: 5 })
    expect(layer.info()).toEqual({})
    const clustered = { length: 0, info: { clusterSize: 512 } } as Child
    expect(new PreallocateLayer(clustered, { align: 1, size: 1 }, {} as OpenContext).info()).toEqual({
      clusterSize: 512,
    })
  })

  test('a tail that cannot be cut off is told', async () => {
    const told: string[] = []
    const file = {
      length: 0,
      writeZeroes: async (offset: number, bytes: number) => void Object.assign(file, { length: offset + bytes }),
      write: async () => {},
      truncate: () => Promise.reject(BlockError.withErrno('EIO', 'Failed to cut')),
    }
    const context = {
      reportError: (message: string) => told.push(message),
      permissionsChanged: () => told.push('changed'),
    }
    const layer = new PreallocateLayer(file as unknown as Child, { align: 4096, size: 4096 }, context)
    layer.setPermissions({ taken: 15 })
    await layer.writer.write(0, filled(1, 512), { fua: false })
    layer.setPermissions({ taken: 1 })
    await expect(layer.close()).rejects.toThrow('Failed to cut')
    expect(told).toEqual(['Failed to cut: Input/output error'])
  })
})

describe('reopened', () => {
  const flags = {} as never

  // As the reference: numbers may change, but who gave them must go on giving them.
  test('in a graph', async () => {
    const store = new NotingStore(0)
    const { graph, file } = await openBelowFormat(store, {})
    const reopen = (options: Record<string, number>) =>
      graph.reopen([{ node: file.node, options: new Map(Object.entries(options)) }])
    await reopen({ 'prealloc-size': 4096, 'prealloc-align': 512 })
    await file.write(0, filled(1, 512))
    expect(store.take()).toEqual(['zero 0 4608', 'write 0 512'])
    await reopen({ 'prealloc-size': 0, 'prealloc-align': 512 })
    await file.write(4608, filled(1, 512))
    expect(store.take()).toEqual(['zero 4608 512', 'write 4608 512'])
    await expect(reopen({ 'prealloc-size': 0 })).rejects.toThrow(
      "Option 'prealloc-align' cannot be reset to its default value",
    )
    await expect(reopen({ 'prealloc-size': 0, 'prealloc-align': 1000 })).rejects.toThrow('is not aligned to 512')
  })

  test('read-only: the tail goes', async () => {
    const store = new NotingStore(4096)
    const { file, layer } = await openLayer(store)
    await layer.writer.write(4096, filled(1, 512), { fua: false })
    const prepared = await layer.prepareReopen({ readOnly: true, options: undefined, flags })
    await prepared.commit()
    expect([store.length, file.length]).toEqual([4608, 4608])
  })

  test('with other numbers: they hold from then on', async () => {
    const store = new NotingStore(0)
    const { layer } = await openLayer(store)
    const change = (options: object) => layer.prepareReopen({ readOnly: false, options, flags })
    const undone = await change({ preallocSize: 512 })
    await undone.abort()
    await layer.writer.write(0, filled(1, 512), { fua: false })
    const prepared = await change({ preallocSize: 0, preallocAlign: 1024 })
    await prepared.commit()
    await layer.writer.write(20 * KiB, filled(1, 512), { fua: false })
    await expect(change({ preallocAlign: 100 })).rejects.toThrow('is not aligned to 512')
    expect(store.take()).toEqual(['zero 0 20480', 'write 0 512', 'zero 20480 1024', 'write 20480 512'])
  })

  /** A layer on its own, over the file of a node that a format holds open. */
  async function openLayer(store: NotingStore) {
    const opened = await openBelowFormat(store, { preallocSize: 2n ** 63n })
    const layer = new PreallocateLayer(opened.file, { align: 4096, size: 16 * KiB }, {} as OpenContext)
    layer.setPermissions({ taken: 15 })
    return { file: opened.file, layer }
  }
})

test('a drain waits until the length is at rest', async () => {
  let finish: (() => void) | undefined
  const file = {
    length: 0,
    writeZeroes: () => new Promise<void>((resolve) => (finish = resolve)),
    write: async () => {},
  }
  const layer = new PreallocateLayer(file as unknown as Child, { align: 1, size: 1 }, {} as OpenContext)
  layer.setPermissions({ taken: 15 })
  const write = layer.writer.write(0, filled(1, 1), { fua: false })
  let drained = false
  const drain = layer.drainBegin().then(() => {
    drained = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(drained).toBe(false)
  finish?.()
  await Promise.all([write, drain])
  layer.drainEnd()
})
