/**
 * Proves, by cutting the power in simulation, that an image survives: whatever subset of the unflushed writes reached the
 * disk, a check finds leaks at most, and every sector shows what was last flushed or something written to it since.
 */

import type { BlockBackend } from '@blocklayer/block-core'
import { filled, MemoryStore, PowerLossStore, type Random, random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../src/features/create/options.ts'
import { checkStore, newImage, openDisk, readAll } from './helpers/disk.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from './helpers/reference.ts'
import { readFileSync, writeFileSync } from 'node:fs'

const seeds = process.env.SEED === undefined ? [1, 2, 3] : [Number(process.env.SEED)]
const sector = 512

/** Counts flush intervals as the store names its crash states. */
class CountingStore extends PowerLossStore {
  interval = 0
  #changed = false

  override write(offset: number, data: Uint8Array): void {
    super.write(offset, data)
    this.#changed = true
  }

  override zero(offset: number, bytes: number): void {
    super.zero(offset, bytes)
    this.#changed = true
  }

  override resize(length: number): void {
    this.#changed ||= length !== this.length
    super.resize(length)
  }

  override flush(): void {
    super.flush()
    if (this.#changed) this.interval++
    this.#changed = false
  }
}

/** What each sector may show after a cut in a given interval. */
class SectorHistory {
  readonly #start: Uint8Array
  /** Guest requests in order; `value` is what their sectors hold afterwards. */
  readonly #changes: { first: number; end: number; value: number; interval: number }[] = []
  /** After how many changes a guest flush had returned, and in which interval. */
  readonly #flushes: { changes: number; interval: number }[] = []

  constructor(start: Uint8Array) {
    this.#start = start
  }

  change(offset: number, bytes: number, value: number, interval: number): void {
    this.#changes.push({ first: offset / sector, end: (offset + bytes) / sector, value, interval })
  }

  flushed(interval: number): void {
    this.#flushes.push({ changes: this.#changes.length, interval })
  }

  /** Fails where `content`, found after a cut in `interval`, holds what it must not. */
  verify(content: Uint8Array, interval: number, what: string): void {
    const durable = this.#flushes.filter((flush) => flush.interval <= interval).at(-1)?.changes ?? 0
    for (let at = 0; at < content.length / sector; at++) {
      const touching = (change: { first: number; end: number }): boolean => change.first <= at && at < change.end
      const last = this.#changes.slice(0, durable).filter(touching).at(-1)
      const since = this.#changes.slice(durable).filter((change) => touching(change) && change.interval <= interval)
      const allowed = [last?.value ?? this.#start[at * sector]!, ...since.map(({ value }) => value)]
      const found = content[at * sector]!
      if (!allowed.includes(found)) {
        expect.fail(`${what}: sector ${at} holds ${found}, allowed is ${allowed.join(' or ')}`)
      }
    }
  }
}

interface Play {
  readonly disk: BlockBackend
  readonly store: CountingStore
  readonly history: SectorHistory
  readonly choose: Random
  readonly steps: number
  readonly clusterSize: number
}

/** Writes, zeroes, discards and flushes at random. */
async function play({ disk, store, history, choose, steps, clusterSize }: Play): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const action = choose.below(10)
    let offset = choose.below(disk.length / sector) * sector
    let bytes = Math.min(disk.length - offset, (1 + choose.below(choose.chance(0.5) ? 6 : 20)) * sector)
    if (choose.chance(0.5)) {
      offset -= offset % clusterSize
      bytes = Math.min(disk.length - offset, Math.ceil(bytes / clusterSize) * clusterSize)
    }
    if (action < 5) {
      const value = 1 + (step % 255)
      history.change(offset, bytes, value, store.interval)
      await disk.write(offset, filled(value, bytes))
    } else if (action < 6) {
      history.change(offset, bytes, 0, store.interval)
      await disk.writeZeroes(offset, bytes, { mayUnmap: choose.chance(0.5) })
    } else if (action < 8) {
      const start = Math.ceil(offset / clusterSize) * clusterSize
      const end = Math.floor((offset + bytes) / clusterSize) * clusterSize
      if (start >= end) continue
      history.change(start, end - start, 0, store.interval)
      await disk.discard(start, end - start)
    } else {
      await disk.flush()
      history.flushed(store.interval)
    }
  }
}

/** Plays on an image and looks at every state that a power cut could leave. */
async function verifyPowerCuts(options: {
  image: Uint8Array
  seed: number
  steps: number
  clusterSize: number
  mayBeDirty: boolean
}): Promise<number> {
  const store = new CountingStore(options.image)
  const tight = { l2CacheSize: 1024, l2CacheEntrySize: 512, refcountCacheSize: 0 }
  // Caches so small that tables come and go all the time: evictions keep the declared order too.
  const opened = await openDisk(store, { unmap: true, qcow2: options.seed % 2 === 0 ? tight : {} })
  const history = new SectorHistory(await readAll(opened.disk))
  const { seed, steps, clusterSize } = options
  await play({ disk: opened.disk, store, history, choose: random(seed), steps, clusterSize })
  await opened.close()
  let count = 0
  for (const state of store.crashStates({ seed, exhaustive: 6, samples: 20 })) {
    count++
    const what = `seed ${seed}, state ${state.name}`
    const image = new MemoryStore(state.store.bytes())
    if (options.mayBeDirty) await (await openDisk(image)).close()
    const result = await checkStore(image)
    expect({ what, ...result }).toMatchObject({ what, corruptions: 0, checkErrors: 0 })
    await using cut = await openDisk(image, { readOnly: true })
    history.verify(await readAll(cut.disk), Number(state.name.split(':')[0]), what)
  }
  return count
}

const shapes: { name: string; clusterSize: number; options: Qcow2CreateOptions }[] = [
  { name: 'v3, 512-byte clusters', clusterSize: 512, options: { refcountBits: 64 } },
  { name: 'v3, 4 KiB clusters', clusterSize: 4096, options: {} },
  { name: 'v2, 1 KiB clusters', clusterSize: 1024, options: { compat: '0.10' } },
  { name: 'extended L2 entries', clusterSize: 16384, options: { extendedL2: true } },
  { name: 'lazy refcounts', clusterSize: 1024, options: { lazyRefcounts: true } },
]

describe.each(shapes)('power cuts: $name', ({ clusterSize, options }) => {
  test.each(seeds)('random history, seed %i', async (seed) => {
    const image = await newImage(128 * 1024, { clusterSize, ...options })
    const mayBeDirty = options.lazyRefcounts === true
    expect(await verifyPowerCuts({ image, seed, steps: 40, clusterSize, mayBeDirty })).toBeGreaterThan(20)
  })
})

/** An image of the reference with data, compressed clusters and an internal snapshot. */
function referenceImage(folder: TemporaryFolder, clusterSize: number, snapshot: boolean): Uint8Array {
  const raw = folder.file('raw')
  const image = folder.file('image')
  writeFileSync(
    raw,
    new Uint8Array(64 * 1024).map((_, at) => 200 + (Math.floor(at / 4096) % 40)),
  )
  qemuImg('convert', '-c', '-O', 'qcow2', '-o', `cluster_size=${clusterSize}`, raw, image)
  qemuIo(image, 'write -P 99 8k 16k')
  if (snapshot) qemuImg('snapshot', '-c', 's', image)
  return new Uint8Array(readFileSync(image))
}

describeWithReference('power cuts on images of the reference', () => {
  test.each(seeds)('compressed clusters, seed %i', async (seed) => {
    using folder = new TemporaryFolder()
    const image = referenceImage(folder, 1024, false)
    await verifyPowerCuts({ image, seed, steps: 40, clusterSize: 1024, mayBeDirty: false })
  })

  test.each(seeds)('an internal snapshot, seed %i', async (seed) => {
    using folder = new TemporaryFolder()
    const image = referenceImage(folder, 1024, true)
    await verifyPowerCuts({ image, seed, steps: 40, clusterSize: 1024, mayBeDirty: false })
  })
})
