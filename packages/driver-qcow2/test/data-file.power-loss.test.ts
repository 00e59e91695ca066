/**
 * Proves, by cutting the power under the image and its data file at once, that a data file shows the guest nothing but what
 * was last flushed or written since, whatever it held before: a flush of one file says nothing about the other.
 */

import { crashStates, DiskRecorder, filled, MemoryStore, type Random, random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../src/features/create/options.ts'
import { checkStore, KiB, newImage, openDisk, readAll } from './helpers/disk.ts'

const seeds = process.env.SEED === undefined ? [1, 2, 3] : [Number(process.env.SEED)]
const sector = 512

/** What each sector may show: what it held at the last flush of the guest, and all that came since. */
class Allowed {
  readonly sets: Set<number>[]

  constructor(content: Uint8Array) {
    this.sets = Array.from({ length: content.length / sector }, (_, at) => new Set([content[at * sector]!]))
  }

  add(offset: number, bytes: number, value: number): void {
    for (let at = offset; at < offset + bytes; at += sector) this.sets[at / sector]!.add(value)
  }

  /** A copy, as of now. */
  snapshot(): number[][] {
    return this.sets.map((values) => [...values])
  }

  flushed(content: Uint8Array): void {
    this.sets.forEach((values, at) => {
      values.clear()
      values.add(content[at * sector]!)
    })
  }
}

const clusterSize = 1024
const size = 32 * KiB

interface Shape {
  readonly name: string
  readonly options: Qcow2CreateOptions
  readonly withBacking: boolean
}

const shapes: readonly Shape[] = [
  { name: 'a data file', options: {}, withBacking: false },
  { name: 'over a backing file', options: {}, withBacking: true },
  { name: 'lazy refcounts', options: { lazyRefcounts: true }, withBacking: false },
  { name: 'raw', options: { dataFileRaw: true }, withBacking: false },
]

/** One request; what it may change is allowed from its beginning on. */
async function step(
  disk: Awaited<ReturnType<typeof openDisk>>['disk'],
  allowed: Allowed,
  choose: Random,
  value: number,
) {
  const unit = choose.chance(0.5) ? clusterSize : sector
  const offset = choose.below(size / unit) * unit
  const bytes = Math.min(size - offset, (1 + choose.below(6)) * unit)
  const action = choose.below(6)
  if (action < 3) {
    allowed.add(offset, bytes, value)
    await disk.write(offset, filled(value, bytes))
  } else if (action === 3) {
    allowed.add(offset, bytes, 0)
    await disk.writeZeroes(offset, bytes, { mayUnmap: choose.chance(0.5) })
  } else if (unit === clusterSize) {
    allowed.add(offset, bytes, 0)
    await disk.discard(offset, bytes)
  }
}

function verify(content: Uint8Array, sets: readonly number[][], what: string): void {
  sets.forEach((values, at) => {
    const found = content[at * sector]!
    if (!values.includes(found)) expect.fail(`${what}: sector ${at} holds ${found}, allowed is ${values.join(' or ')}`)
  })
}

describe.each(shapes)('power cuts under two files: $name', ({ options, withBacking }) => {
  test.each(seeds)('seed %i', async (seed) => {
    const choose = random(seed)
    const image = await newImage(size, { clusterSize, dataFile: 'data', ...options })
    const recorder = new DiskRecorder()
    const store = recorder.disk('image', image)
    // Raw files begin empty; others may hold anything where nothing is mapped.
    const data = recorder.disk('data', filled(options.dataFileRaw === true ? 0 : 0xee, size))
    const backing = () => (withBacking ? { rawBacking: new MemoryStore(filled(0xbb, size)) } : {})
    const opened = await openDisk(store, { data, unmap: true, ...backing() })
    const allowed = new Allowed(await readAll(opened.disk))
    const known: { readonly until: number; readonly sets: number[][] }[] = []
    const remember = (): void => void known.push({ until: recorder.journal.entries.length, sets: allowed.snapshot() })
    for (let number = 0; number < 24; number++) {
      await step(opened.disk, allowed, choose, 1 + number)
      remember()
      if (number % 6 !== 5) continue
      await opened.disk.flush()
      remember()
      allowed.flushed(await readAll(opened.disk))
    }
    await opened.close()
    remember()
    let count = 0
    for (const state of crashStates(recorder.journal, { seed, exhaustive: 32, samples: 6 })) {
      count++
      const what = `seed ${seed}, state ${state.id}`
      const [cutImage, cutData] = state.disks.map((disk) => new MemoryStore(disk.bytes()))
      if (options.lazyRefcounts === true) await (await openDisk(cutImage!, { data: cutData, ...backing() })).close()
      const result = await checkStore(cutImage!, cutData)
      expect({ what, ...result }).toMatchObject({ what, corruptions: 0, checkErrors: 0 })
      await using cut = await openDisk(cutImage!, { data: cutData, readOnly: true, ...backing() })
      const content = await readAll(cut.disk)
      const { sets } = known.find(({ until }) => until >= state.position) ?? known.at(-1)!
      verify(content, sets, what)
      if (options.dataFileRaw === true) verify(cutData!.bytes(), sets, `${what}, the data file alone`)
    }
    expect(count).toBeGreaterThan(20)
  })
})
