// Making an image: the file first, then the format in it, and nothing left of one that failed.
import { beforeEach, expect, test } from 'vitest'
import { type AnyDriver, BlockError, type Child, type CreateContext } from '../../src/driver.ts'
import { createBlockGraph } from '../../src/index.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { filled } from '../../src/testing/patterns.ts'
import { type CountedWorld, countedWorld } from '../helpers/counted.ts'
import { namedStores } from '../helpers/named-stores.ts'
import { toyDriver } from '../helpers/toy-format.ts'
import { failure } from '../helpers/world.ts'

let at: CountedWorld
let work: (context: CreateContext) => Promise<void>
beforeEach(() => {
  const scripted = { ...toyDriver, formatName: 'scripted', probe: () => 0 }
  const create = { ...toyDriver.create!, run: (context: CreateContext) => work(context) }
  at = countedWorld({ drivers: [{ ...scripted, create } as AnyDriver] })
  return () => at.graph.close()
})

const make = (options = {}, job = {}) => at.graph.create('scripted', 'new', { size: 1000, ...options }, job)

test('an image is made and can be opened', async () => {
  await at.graph.create('toy', 'new', { options: { size: '64k' } })
  const disk = await at.graph.open('new')
  expect(disk.length).toBe(65536)
})

test('the size is rounded up to whole sectors; big ones stay exact', async () => {
  const sizes: bigint[] = []
  work = async ({ size }) => void sizes.push(size)
  await make()
  await make({ size: 2n ** 62n - 511n })
  await make({ size: undefined, options: { size: '1.5k' } })
  expect(sizes).toEqual([1024n, 2n ** 62n, 1536n])
})

test('the file is made when the format asks for it, once, empty, writable and resizable', async () => {
  at.files.set('new', new MemoryStore(filled(1, 4096)))
  work = async (context) => {
    expect(at.files.get('new')!.length).toBe(4096)
    const file = await context.file()
    expect([file.length, await context.file()]).toEqual([0, file])
    await file.truncate(8192)
    await file.write(0, filled(2, 512))
  }
  await make()
  expect(at.files.get('new')!.length).toBe(8192)
  expect([at.open, at.graph.nodes, at.files.get('new')!.flushes]).toEqual([[], [], 1])
})

test('a second file of the image is made, closed and removed like the first', async () => {
  work = async (context) => {
    const [file, other] = [await context.file(), await context.otherFile('beside')]
    expect([file.length, other.length, other.node.filename]).toEqual([0, 0, 'beside'])
    await other.truncate(4096)
  }
  await make()
  expect([at.files.get('beside')?.length, at.open, at.graph.nodes]).toEqual([4096, [], []])
  work = async (context) => {
    await context.otherFile('beside')
    await context.file()
    throw new BlockError('EIO', 'too bad')
  }
  expect(await failure(make())).toBe('too bad')
  expect([at.files.has('beside'), at.files.has('new'), at.open]).toEqual([false, false, []])
  work = async (context) => void (await context.otherFile('nbd:x'))
  expect(await failure(make())).toBe("Unknown protocol 'nbd'")
})

test('the file’s own options go to the file, the format’s to the format', async () => {
  const seen: unknown[] = []
  const file = at.graph.drivers.find(({ formatName }) => formatName === 'file')!
  const create = { ...file.create!, run: async (_context: CreateContext, options: unknown) => void seen.push(options) }
  const graph = createBlockGraph({
    drivers: [...at.graph.drivers.filter((driver) => driver !== file), { ...file, create } as AnyDriver],
    implicitOpen: 'deny',
  })
  work = async (context) => {
    seen.push(await failure(context.file()))
  }
  await graph.create('scripted', 'new', { size: 512, options: { note: 'hello', fail: 'off' } })
  expect(seen).toEqual([{ note: 'hello' }, "Could not open 'new': No such file or directory"])
  await graph.create('file', 'new', { size: 512, options: { note: 'bye' } })
  expect(seen.at(-1)).toEqual({ note: 'bye', size: 512 })
})

test('a format that fails leaves no file', async () => {
  expect(await failure(at.graph.create('toy', 'new', { size: 512, options: { fail: 'on' } }))).toBe('the toy broke')
  expect([[...at.files.keys()], at.open, at.graph.nodes]).toEqual([[], [], []])
})

test('a format that fails before it asked for its file leaves an older one alone', async () => {
  at.files.set('new', new MemoryStore(filled(1, 512)))
  work = () => Promise.reject(new BlockError('EINVAL', 'no such cluster size'))
  expect(await failure(make())).toBe('no such cluster size')
  expect(at.files.get('new')?.bytes()).toEqual(filled(1, 512))
})

test('a file that cannot be made, and one that cannot be opened', async () => {
  const full = new Map<string, MemoryStore>()
  full.set = () => {
    throw BlockError.withErrno('ENOSPC', "Could not create 'new'")
  }
  const other = createBlockGraph({ drivers: [namedStores(full), toyDriver], implicitOpen: 'deny' })
  expect(await failure(other.create('toy', 'new', { size: 512 }))).toBe(
    "Could not create 'new': No space left on device",
  )
  const text = "Could not open 'readonly': Permission denied"
  expect(await failure(at.graph.create('toy', 'readonly', { size: 512 }))).toBe(text)
  expect([[...at.files.keys()], at.open]).toEqual([[], []])
})

test('an image whose last flush fails is not kept', async () => {
  work = async (context) => {
    const file = await context.file()
    await file.write(0, filled(1, 512))
    at.files.get('new')!.flush = () => {
      throw BlockError.fromErrno('ENOSPC')
    }
  }
  expect(await failure(make())).toBe('No space left on device')
  expect([[...at.files.keys()], at.open, at.graph.nodes]).toEqual([[], [], []])
})

test('the first failure is thrown, those of cleaning up are diagnostics', async () => {
  work = async (context) => {
    await (await context.file()).write(0, filled(1, 512))
    at.files.get('new')!.flush = () => {
      throw BlockError.fromErrno('EIO')
    }
    throw new BlockError('EINVAL', 'the format broke')
  }
  expect(await failure(make())).toBe('the format broke')
  expect(at.messages).toEqual([{ kind: 'error', text: 'Input/output error' }])
  expect([[...at.files.keys()], at.open, at.graph.nodes]).toEqual([[], [], []])
})

test('an aborted creation makes nothing, or removes what it made', async () => {
  const control = new AbortController()
  let file: Child | undefined
  work = async (context) => {
    file = await context.file()
    control.abort(new Error('enough'))
    context.signal?.throwIfAborted()
  }
  expect(await failure(make({}, { signal: control.signal }))).toBe('enough')
  expect(await failure(make({}, { signal: control.signal }))).toBe('enough')
  expect(file).toBeDefined()
  expect([[...at.files.keys()], at.open, at.graph.nodes]).toEqual([[], [], []])
})

test('an image that is nothing but its file is made by the protocol, in full', async () => {
  work = (context) => context.makeFile()
  await make()
  expect(at.files.get('new')?.length).toBe(1024)
  expect(at.open).toEqual([])
})

test('a protocol makes a file, but has none beneath it', async () => {
  await at.graph.create('file', 'disk', { size: 1000 })
  expect(at.files.get('disk')?.length).toBe(1024)
  const file = at.graph.drivers.find(({ formatName }) => formatName === 'file')!
  const run = async (context: CreateContext) => void (await context.file())
  const graph = createBlockGraph({
    drivers: [{ ...file, create: { ...file.create!, run } } as AnyDriver],
    implicitOpen: 'deny',
  })
  expect(await failure(graph.create('file', 'x', { size: 512 }))).toBe('a protocol has no file beneath it')
})
