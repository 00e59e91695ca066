/**
 * Proves that emptying never shows the guest wrong data: in every state that a power cut or a failing request can leave,
 * the chain reads as before, and a writable open mends what is left to mend. And that these tests would notice: without
 * either of the two flushes that the reference lacks, they find violations.
 */

import { type BlockBackend, BlockError, concatBytes, type Errno } from '@blocklayer/block-core'
import {
  expectSameBytes,
  FaultStore,
  filled,
  forEachFault,
  MemoryStore,
  PowerLossStore,
  stamped,
} from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../../src/features/create/options.ts'
import { checkStore, KiB, MiB, newImage, openDisk } from '../helpers/disk.ts'

const backingReference = { filename: 'base', format: 'qcow2' }

/** A committed overlay: the base holds all of its data. */
interface Committed {
  readonly overlay: Uint8Array
  readonly base: MemoryStore
  /** What the guest sees, from the overlay and from the base alike. */
  readonly content: Uint8Array
  readonly read: (disk: BlockBackend) => Promise<Uint8Array>
}

interface Layout {
  readonly name: string
  readonly clusterSize: number
  readonly size: number
  readonly grownTo?: number
  readonly options: Qcow2CreateOptions
  readonly writes: readonly (readonly [offset: number, bytes: number])[]
  /** Written after the image has grown. */
  readonly later?: readonly (readonly [offset: number, bytes: number])[]
  /** Parts of the disk that are compared; absent: all of it. */
  readonly windows?: readonly (readonly [offset: number, bytes: number])[]
  readonly way: 'fast' | 'plain'
}

const layouts: readonly Layout[] = [
  {
    name: 'a new image',
    clusterSize: 4096,
    size: 256 * KiB,
    options: {},
    writes: [
      [0, 9000],
      [200 * KiB, 4096],
    ],
    way: 'fast',
  },
  {
    // The L1 table moves when the disk grows, and data takes its old place: what F1 of the 2014 review was about.
    name: 'a grown image with data where the L1 table was',
    clusterSize: 512,
    size: 32 * KiB,
    grownTo: 3 * MiB,
    options: {},
    writes: [[0, 512]],
    later: [
      [512, 2048],
      [MiB, 512],
    ],
    way: 'fast',
  },
  {
    name: 'extended L2 entries',
    clusterSize: 16384,
    size: 256 * KiB,
    options: { extendedL2: true },
    writes: [
      [0, 5000],
      [100 * KiB + 512, 40 * KiB],
    ],
    way: 'fast',
  },
  {
    name: 'lazy refcounts',
    clusterSize: 1024,
    size: 128 * KiB,
    options: { lazyRefcounts: true },
    writes: [[0, 5000]],
    way: 'fast',
  },
  {
    name: 'version 2',
    clusterSize: 1024,
    size: 300 * KiB,
    options: { compat: '0.10' },
    writes: [
      [0, 5000],
      [250 * KiB, 3000],
    ],
    way: 'plain',
  },
  {
    name: 'an L1 table that one refcount block cannot count',
    clusterSize: 512,
    size: 128 * MiB,
    options: { refcountBits: 64 },
    writes: [
      [0, 3000],
      [100 * MiB, 512],
    ],
    windows: [
      [0, 64 * KiB],
      [100 * MiB - 32 * KiB, 64 * KiB],
      [128 * MiB - 32 * KiB, 32 * KiB],
    ],
    way: 'plain',
  },
]

async function committed(layout: Layout): Promise<Committed> {
  const { clusterSize, size, grownTo, options, writes, later } = layout
  const base = new MemoryStore(await newImage(grownTo ?? size, {}))
  const store = new MemoryStore(await newImage(size, { clusterSize, ...options }, backingReference))
  await using opened = await openDisk(store, { backing: new MemoryStore(await newImage(KiB)) })
  await using below = await openDisk(base)
  const put = async (ranges: readonly (readonly [number, number])[]) => {
    for (const [offset, bytes] of ranges) {
      const data = stamped(Math.floor(offset / 8) * 8, bytes, 1)
      await opened.disk.write(offset, data)
      await below.disk.write(offset, data)
    }
  }
  await put(writes)
  if (grownTo !== undefined) await opened.disk.truncate(grownTo)
  await put(later ?? [])
  await opened.close()
  const read = (disk: BlockBackend) => readWindows(disk, layout.windows ?? [[0, disk.length]])
  const content = await read(below.disk)
  await below.close()
  return { overlay: store.bytes(), base, content, read }
}

async function readWindows(disk: BlockBackend, windows: Layout['writes']): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (const [offset, bytes] of windows) {
    const part = new Uint8Array(bytes)
    await disk.read(offset, part)
    parts.push(part)
  }
  return concatBytes(parts)
}

/** The chain reads as before; after a writable open the overlay is clean and still reads so. */
async function verifyState(store: MemoryStore, { base, content, read }: Committed, what: string): Promise<void> {
  const reader = await openDisk(store, { readOnly: true, backing: base })
  expectSameBytes(await read(reader.disk), content, `${what}, read-only`)
  await reader.close()
  const writer = await openDisk(store, { backing: base })
  expectSameBytes(await read(writer.disk), content, `${what}, repaired`)
  await writer.close()
  const { corruptions, checkErrors, leaks } = await checkStore(store)
  // On the plain way no dirty mark asks for a repair: a cut may leave leaks.
  expect({ what, corruptions, checkErrors, leaks }).toEqual({
    what,
    corruptions: 0,
    checkErrors: 0,
    leaks: expect.any(Number),
  })
}

async function empty(store: MemoryStore, base: MemoryStore): Promise<void> {
  const opened = await openDisk(store, { backing: base, unmap: true })
  try {
    await opened.disk.makeEmpty()
  } finally {
    await opened.close()
  }
}

describe.each(layouts)('emptying $name ($way way)', (layout) => {
  test('leaves an overlay without clusters of its own, clean and of the smallest size where it is made anew', async () => {
    const image = await committed(layout)
    const store = new MemoryStore(image.overlay)
    await empty(store, image.base)
    const result = await checkStore(store)
    expect(result).toMatchObject({ corruptions: 0, leaks: 0, clusters: { allocated: 0 } })
    await using opened = await openDisk(store, { readOnly: true, backing: image.base })
    const size = layout.grownTo ?? layout.size
    expect(await opened.disk.blockStatus(0, size)).toMatchObject({ depth: 1 })
    expectSameBytes(await image.read(opened.disk), image.content, 'through the emptied overlay')
    if (layout.way === 'fast') {
      const l1Entries = Math.ceil(size / layout.clusterSize / (layout.clusterSize / 8))
      const clusters = 3 + Math.ceil((l1Entries * 8) / layout.clusterSize)
      expect(store.length).toBe(clusters * layout.clusterSize)
      expect(result.lines).toEqual([])
    } else {
      expect(store.length).toBeGreaterThanOrEqual(image.overlay.length)
    }
  })

  test('survives a power cut at every write, whatever subset of the unflushed writes is kept', async () => {
    const image = await committed(layout)
    const store = new PowerLossStore(image.overlay)
    await empty(store, image.base)
    let states = 0
    for (const state of store.crashStates({ seed: 2014 })) {
      await verifyState(state.store, image, `state ${state.name}`)
      states++
    }
    expect(states).toBeGreaterThan(layout.way === 'fast' ? 10 : 3)
  })

  test.each(['EIO', 'ENOSPC'] as Errno[])(
    'with its 1st, 2nd, 3rd … request failing (%s) reports it and loses nothing',
    async (code) => {
      const image = await committed(layout)
      const tried = await forEachFault(async (index) => {
        const store = new FaultStore(image.overlay)
        const opened = await openDisk(store, { backing: image.base, unmap: true })
        store.arm({ index, code, kinds: ['read', 'write', 'zero', 'flush'], forGood: true })
        let failure: unknown
        await opened.disk.makeEmpty().catch((error: unknown) => {
          failure = error
        })
        const { hit } = store
        // The fault hit the request itself and not only the holes, whose failure is nobody's loss.
        if (hit && failure !== undefined) expect(failure).toBeInstanceOf(BlockError)
        await opened.close().catch((error: unknown) => expect(error).toBeInstanceOf(BlockError))
        store.disarm()
        await verifyState(store, image, `request ${index} fails`)
        return hit
      })
      expect(tried).toBeGreaterThan(3)
    },
  )
})

test('the node is dead after a failure that leaves memory and disk apart, and alive before and after', async () => {
  const image = await committed(layouts[0]!)
  const seen: boolean[] = []
  await forEachFault(async (index) => {
    const store = new FaultStore(image.overlay)
    const opened = await openDisk(store, { backing: image.base })
    const { root } = opened.disk
    store.arm({ index, kinds: ['write', 'zero', 'flush', 'resize'], forGood: true })
    const failed = await opened.disk.makeEmpty().then(
      () => false,
      () => true,
    )
    if (failed) {
      seen.push(root.ejected)
      const before = store.bytes()
      store.disarm()
      await opened.close().catch(() => undefined)
      // A dead node writes nothing, not even at close: its tables are wrong.
      if (root.ejected) expectSameBytes(store.bytes(), before, 'after the close of a dead node')
    } else {
      store.disarm()
      await opened.close()
    }
    return failed
  })
  // Alive: up to the dirty mark (its write, its flush). Dead: L1, flush, clusters, flush, header, flush, table, flush.
  // Alive again: refcount block, flush, header, truncation.
  expect(seen.map((dead) => (dead ? 'x' : '.')).join('')).toMatch(/^\.+x{8}\.{4}$/)
})

/** A disk cache that swallows one flush: what the reference's order would be without it. */
class ForgetfulStore extends PowerLossStore {
  #countdown: number

  constructor(content: Uint8Array, swallowed: number) {
    super(content)
    this.#countdown = swallowed
  }

  override flush(): void {
    if (this.#countdown-- !== 0) super.flush()
  }
}

async function violations(image: Committed, swallowed: number): Promise<number> {
  const store = new ForgetfulStore(image.overlay, swallowed)
  await empty(store, image.base)
  let found = 0
  for (const state of store.crashStates({ seed: 1, exhaustive: 8, samples: 16 })) {
    await verifyState(state.store, image, state.name).catch(() => found++)
  }
  return found
}

test('without the flush behind the L1 table, or the one behind the zeroed clusters, data is lost', async () => {
  const image = await committed(layouts[1]!)
  const flushes = await countFlushes(image)
  const found: number[] = []
  for (let swallowed = 0; swallowed < flushes; swallowed++) found.push(await violations(image, swallowed))
  // Which flush it is does not matter here; that exactly the necessary ones are noticed does.
  expect(found.filter((count) => count > 0).length).toBeGreaterThanOrEqual(2)
  expect(await violations(image, -1)).toBe(0)
})

async function countFlushes(image: Committed): Promise<number> {
  const store = new MemoryStore(image.overlay)
  const before = store.flushes
  await empty(store, image.base)
  return store.flushes - before
}

test('data that a filled pattern shows is what the layouts hold', async () => {
  const image = await committed(layouts[0]!)
  expect(image.content.subarray(0, 9000)).not.toEqual(filled(0, 9000))
})
