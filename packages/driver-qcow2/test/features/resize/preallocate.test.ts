/**
 * Proves that preallocated space is there, reads as zeroes whatever the file held before, and is linked in an order that
 * no power cut or failing request makes wrong.
 */

import { FaultStore, filled, MemoryStore, PowerLossStore } from '@blocklayer/block-core/testing'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../../../src/features/create/options.ts'
import { checkStore, KiB, MiB, newImage, openDisk, readAll } from '../../helpers/disk.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { failureOf, openOn } from '../../helpers/open-on.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from '../../helpers/reference.ts'

const clean = { corruptions: 0, leaks: 0, checkErrors: 0 }
const layouts: Qcow2CreateOptions[] = [
  {},
  { clusterSize: 512, refcountBits: 64 },
  { compat: '0.10', clusterSize: 4096 },
]
const modes = ['metadata', 'falloc', 'full'] as const

/** An image of 256 KiB whose file has holes that hold old data. */
async function used(options: Qcow2CreateOptions): Promise<Uint8Array> {
  const store = new MemoryStore(await newImage(256 * KiB, options))
  await using opened = await openDisk(store)
  await opened.disk.write(0, filled(7, 256 * KiB))
  await opened.disk.flush()
  // Without unmap the file keeps the bytes of what is freed.
  await opened.disk.makeEmpty()
  await opened.disk.write(0, filled(1, 4 * KiB))
  await opened.close()
  return store.bytes()
}

test.each(modes.flatMap((mode) => layouts.map((options) => ({ mode, options }))))(
  '$mode with $options',
  async ({ mode, options }) => {
    const store = new MemoryStore(await used(options))
    await using opened = await openDisk(store)
    await opened.disk.truncate(3 * MiB + 512, { preallocation: mode })
    const content = await readAll(opened.disk)
    expect([content[0], content.subarray(4 * KiB).every((byte) => byte === 0)]).toEqual([1, true])
    const before = store.length
    expect(before).toBeGreaterThan(2.7 * MiB)
    await opened.disk.write(2 * MiB, filled(5, 64 * KiB))
    await opened.disk.flush()
    // What is there already is not allocated again.
    expect(store.length).toBe(before)
    await opened.close()
    expect(await checkStore(store)).toMatchObject(clean)
  },
)

test('a longer backing file stays hidden', async () => {
  for (const compat of ['1.1', '0.10'] as const) {
    const backing = new MemoryStore(await newImage(MiB))
    const below = await openDisk(backing)
    await below.disk.write(0, filled(7, MiB))
    await below.close()
    await using opened = await openDisk(new MemoryStore(await newImage(64 * KiB, { compat })), { backing })
    await opened.disk.truncate(MiB, { preallocation: 'metadata' })
    const content = await readAll(opened.disk)
    expect([content[0], content.subarray(64 * KiB).every((byte) => byte === 0)]).toEqual([7, true])
  }
})

test('whenever the power fails', async () => {
  const store = new PowerLossStore(await used({ clusterSize: 4096 }))
  const opened = await openDisk(store)
  await opened.disk.truncate(MiB, { preallocation: 'full' })
  await opened.close()
  const sizes = new Set<number>()
  for (const { name, store: cut } of store.crashStates()) {
    expect({ name, ...(await checkStore(cut)) }).toMatchObject({ name, corruptions: 0, checkErrors: 0 })
    await using after = await openDisk(cut)
    const content = await readAll(after.disk)
    sizes.add(content.length)
    expect([name, content[0], content.subarray(4 * KiB).every((byte) => byte === 0)]).toEqual([name, 1, true])
    // Also what was linked and not yet shown holds nothing.
    await after.disk.truncate(MiB)
    expect((await readAll(after.disk)).subarray(4 * KiB).every((byte) => byte === 0)).toBe(true)
  }
  expect([...sizes].sort((a, b) => a - b)).toEqual([256 * KiB, MiB])
})

test('with the 1st, 2nd, 3rd… request failing', async () => {
  const start = await used({ clusterSize: 512, refcountBits: 64 })
  let failures = 0
  for (let index = 0; ; index += 3) {
    const store = new FaultStore(start)
    const opened = await openDisk(store)
    store.arm({ index, forGood: false, code: 'ENOSPC' })
    await opened.disk.truncate(320 * KiB, { preallocation: 'falloc' }).catch(() => {
      failures++
    })
    const { hit } = store
    store.disarm()
    expect((await readAll(opened.disk)).subarray(4 * KiB).every((byte) => byte === 0)).toBe(true)
    await opened.close().catch(() => {})
    expect({ index, ...(await checkStore(store)) }).toMatchObject({ index, corruptions: 0, checkErrors: 0 })
    if (!hit) break
  }
  expect(failures).toBeGreaterThan(3)
})

test('a failure says what failed', async () => {
  const file = new MemoryChild(await newImage(MiB))
  const { image } = await openOn(file)
  file.fail = ({ kind }) => (kind === 'truncate' ? 'ENOSPC' : undefined)
  const { truncateImage } = await import('../../../src/features/resize/grow.ts')
  const options = { preallocation: 'full', exact: true, zeroNewArea: false } as const
  expect(await failureOf(() => truncateImage(image, 2 * MiB, options))).toBe(
    'ENOSPC Could not preallocate data clusters: No space left on device',
  )
})

describeWithReference('the reference', () => {
  test.each(modes)('finds the same disk as after its own %s', async (mode) => {
    using folder = new TemporaryFolder()
    const ours = folder.file('ours')
    const theirs = folder.file('theirs')
    const start = await newImage(256 * KiB)
    writeFileSync(theirs, start)
    expect(qemuImg('resize', '-q', `--preallocation=${mode}`, theirs, '2M').code).toBe(0)
    const store = new MemoryStore(start)
    const opened = await openDisk(store)
    await opened.disk.truncate(2 * MiB, { preallocation: mode })
    await opened.close()
    writeFileSync(ours, store.bytes())
    expect(qemuImg('check', ours)).toMatchObject({ code: 0, err: '' })
    expect(qemuImg('compare', ours, theirs).code).toBe(0)
    const extents = (path: string) =>
      (JSON.parse(qemuImg('map', '--output=json', path).out) as { length: number; present: boolean }[]).reduce(
        (sum, { length, present }) => sum + (present ? length : 0),
        0,
      )
    expect(extents(ours)).toBe(extents(theirs))
    expect(readFileSync(ours).length).toBeGreaterThan(1.75 * MiB)
  })

  // The cluster that the new area begins in belongs to it; what the file is asked for needs no flag to read as zeroes.
  test.each(modes)('maps the same after its own %s from inside a cluster, over a longer backing file', async (mode) => {
    using folder = new TemporaryFolder()
    const below = new MemoryStore(await newImage(256 * KiB))
    const filling = await openDisk(below)
    await filling.disk.write(0, filled(7, 256 * KiB))
    await filling.close()
    writeFileSync(folder.file('below'), below.bytes())
    const reference = { filename: 'below', format: 'qcow2' }
    const start = await newImage(100 * KiB, {}, reference)
    writeFileSync(folder.file('theirs'), start)
    expect(qemuImg('resize', '-q', `--preallocation=${mode}`, folder.file('theirs'), '512k').code).toBe(0)
    const store = new MemoryStore(start)
    const opened = await openDisk(store, { backing: below })
    await opened.disk.truncate(512 * KiB, { preallocation: mode })
    await opened.close()
    writeFileSync(folder.file('ours'), store.bytes())
    const kinds = (name: string) => {
      const rows = JSON.parse(qemuImg('map', '--output=json', folder.file(name)).out) as Record<string, unknown>[]
      // Rows are split where the place in the file jumps.
      const kindAt = rows.map(({ start, depth, data }) => [start, `${depth} ${data}`])
      return kindAt.filter(([, kind], at) => kind !== kindAt[at - 1]?.[1])
    }
    expect(qemuImg('compare', folder.file('ours'), folder.file('theirs')).code).toBe(0)
    expect(kinds('ours')).toEqual(kinds('theirs'))
  })
})

test('a full disk leaves nothing behind, and the next attempt takes nothing twice', async () => {
  for (let index = 0, hit = true; hit; index++) {
    const store = new FaultStore(await used({ clusterSize: 512, refcountBits: 64 }))
    const opened = await openDisk(store)
    store.arm({ index, forGood: false, code: 'ENOSPC', kinds: ['resize'] })
    await opened.disk.truncate(320 * KiB, { preallocation: 'falloc' }).catch(() => {})
    hit = store.hit
    store.disarm()
    await opened.disk.flush()
    expect({ index, ...(await checkStore(store)) }).toMatchObject({ index, ...clean })
    await opened.disk.truncate(384 * KiB, { preallocation: 'falloc' })
    await opened.close()
    expect({ index, ...(await checkStore(store)) }).toMatchObject({ index, ...clean })
  }
})

/** Aborts at the n-th request that changes it. */
class StoppingStore extends MemoryStore {
  left = Number.POSITIVE_INFINITY
  stop = new AbortController()
  #count(): void {
    if (--this.left === 0) this.stop.abort(new Error('enough'))
  }
  override write(offset: number, data: Uint8Array): void {
    this.#count()
    super.write(offset, data)
  }
  override resize(length: number): void {
    this.#count()
    super.resize(length)
  }
}

test.each(modes)('who stops %s, at whatever request, finds the image as it was', async (mode) => {
  for (const options of [{}, { clusterSize: 512, refcountBits: 64 }]) {
    for (let nth = 1, stopped = true; stopped; nth++) {
      const store = new StoppingStore(await newImage(256 * KiB, options))
      const opened = await openDisk(store)
      await opened.disk.write(0, filled(1, 256 * KiB))
      await opened.disk.flush()
      const before = store.length
      store.left = nth
      const { signal } = store.stop
      const failure = opened.disk.truncate(384 * KiB, { preallocation: mode, signal }).then(() => undefined, String)
      stopped = (await failure) === 'Error: enough'
      expect(opened.disk.length).toBe(stopped ? 256 * KiB : 384 * KiB)
      await opened.close()
      expect({ nth, ...(await checkStore(store)) }).toMatchObject({ nth, ...clean })
      // Small tables of the new part may stand behind it, and stay for the next time.
      if (stopped && options.clusterSize === undefined) expect(store.length).toBe(before)
      if (!stopped) expect(nth).toBeGreaterThan(1)
    }
  }
})

test('who stops the growing of a data file finds both files as they were', async () => {
  const store = new MemoryStore(await newImage(256 * KiB, { dataFile: 'data' }))
  const data = new StoppingStore(256 * KiB)
  const opened = await openDisk(store, { data })
  data.left = 1
  const options = { preallocation: 'metadata', signal: data.stop.signal } as const
  await expect(opened.disk.truncate(512 * KiB, options)).rejects.toThrow('enough')
  expect([opened.disk.length, data.length]).toEqual([256 * KiB, 256 * KiB])
  await opened.close()
  expect(await checkStore(store, data)).toMatchObject(clean)
})

test.each(modes)('%s tells how much of the new part is there', async (mode) => {
  await using opened = await openDisk(new MemoryStore(await newImage(256 * KiB)))
  const told: { current: number; total: number }[] = []
  const onProgress = (progress: (typeof told)[number]): void => void told.push(progress)
  await opened.disk.truncate(3 * MiB + 512, { preallocation: mode, onProgress })
  expect(told.at(-1)).toEqual({ current: 3 * MiB + 512 - 256 * KiB, total: 3 * MiB + 512 - 256 * KiB })
  expect(told.every(({ current }, at) => current >= (told[at - 1]?.current ?? 0))).toBe(true)
})
