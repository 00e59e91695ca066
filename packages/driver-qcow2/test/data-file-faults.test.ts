/**
 * Proves for images with a data file that a failing request of either file does no lasting harm: the operation fails or
 * succeeds, a check finds leaks at most, and each sector is the old one or the new one.
 */

import type { BlockBackend } from '@blocklayer/block-core'
import { BlockError } from '@blocklayer/block-core/driver'
import { FaultStore, filled, forEachFault, MemoryStore } from '@blocklayer/block-core/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../src/features/create/options.ts'
import { checkStore, KiB, newImage, openDisk, readAll } from './helpers/disk.ts'

const cluster = 16 * KiB
const size = 8 * cluster + 3 * 512

interface Shape {
  readonly name: string
  readonly options: Qcow2CreateOptions
  readonly withBacking?: boolean
}

const shapes: readonly Shape[] = [
  { name: 'plain', options: {} },
  { name: 'raw', options: { dataFileRaw: true } },
  { name: 'subclusters over a backing file', options: { extendedL2: true }, withBacking: true },
  { name: 'raw, subclusters', options: { extendedL2: true, dataFileRaw: true } },
]

interface Operation {
  readonly name: string
  run(disk: BlockBackend): Promise<unknown>
}

const operations: readonly Operation[] = [
  { name: 'a write where nothing is', run: (disk) => disk.write(5 * cluster + 512, filled(0xee, 1024)) },
  { name: 'a write over data and more', run: (disk) => disk.write(cluster - 512, filled(0xee, 3 * cluster)) },
  { name: 'zeroes', run: (disk) => disk.writeZeroes(512, 2 * cluster) },
  { name: 'zeroes that may unmap', run: (disk) => disk.writeZeroes(0, 3 * cluster, { mayUnmap: true }) },
  { name: 'a discard', run: (disk) => disk.discard(0, 3 * cluster) },
  { name: 'growing', run: (disk) => disk.truncate(size + 2 * cluster) },
  {
    name: 'growing, preallocated',
    run: (disk) => disk.truncate(size + 2 * cluster, { preallocation: 'metadata' }),
  },
  { name: 'shrinking', run: (disk) => disk.truncate(cluster + 512) },
  { name: 'emptying', run: (disk) => disk.makeEmpty() },
]

const cases = shapes.flatMap((shape) => operations.map((operation) => ({ shape, operation })))

describe.each(cases)('$operation.name: $shape.name', ({ shape, operation }) => {
  const backing = shape.withBacking === true ? { rawBacking: new MemoryStore(filled(0x77, size)) } : {}
  let image: Uint8Array
  let content: Uint8Array
  let before: Uint8Array
  let after: Uint8Array

  beforeAll(async () => {
    const store = new MemoryStore(await newImage(size, { clusterSize: cluster, dataFile: 'data', ...shape.options }))
    // What a data file holds where nothing is mapped must never show.
    const data = new MemoryStore(filled(shape.options.dataFileRaw === true ? 0 : 0xdd, size))
    const opened = await openDisk(store, { data, ...backing, unmap: true })
    await opened.disk.write(0, filled(1, 2 * cluster))
    await opened.disk.writeZeroes(3 * cluster, cluster)
    await opened.close()
    image = store.bytes()
    content = data.bytes()
    const again = await openDisk(new MemoryStore(image), { data: new MemoryStore(content), ...backing, unmap: true })
    before = await readAll(again.disk)
    await operation.run(again.disk)
    after = await readAll(again.disk)
    await again.close()
  })

  async function verify(store: MemoryStore, data: MemoryStore, what: string): Promise<void> {
    // A dirty mark leads to a repair here.
    await (await openDisk(store, { data, ...backing })).close()
    expect({ what, ...(await checkStore(store, data)) }).toMatchObject({ what, corruptions: 0, checkErrors: 0 })
    await using opened = await openDisk(store, { data, readOnly: true, ...backing })
    const found = await readAll(opened.disk)
    expect([before.length, after.length], what).toContain(found.length)
    verifySectors(found, what)
    // Data comes before the entry: where that failed the file may be ahead of the guest.
    if (shape.options.dataFileRaw === true) verifySectors(data.bytes().subarray(0, found.length), `${what}, alone`)
  }

  function verifySectors(found: Uint8Array, what: string): void {
    for (let sector = 0; sector < found.length; sector += 512) {
      const allowed = [before[sector], found.length <= after.length ? after[sector] : undefined]
      for (const offset of [sector, sector + 511]) {
        if (!allowed.includes(found[offset])) {
          expect.fail(`${what}: ${found[offset]} at ${offset}, allowed is ${allowed.join(' or ')}`)
        }
      }
    }
  }

  test.each([
    { failing: 'image', forGood: false },
    { failing: 'image', forGood: true },
    { failing: 'data', forGood: false },
    { failing: 'data', forGood: true },
  ] as const)('request of the $failing failing, for good: $forGood', async ({ failing, forGood }) => {
    await forEachFault(async (index) => {
      const stores = { image: new FaultStore(image), data: new FaultStore(content) }
      const opened = await openDisk(stores.image, { data: stores.data, ...backing, unmap: true })
      stores[failing].arm({ index, forGood, code: 'EIO' })
      const failures: unknown[] = []
      const collect = (error: unknown): void => void failures.push(error)
      await operation.run(opened.disk).catch(collect)
      await opened.disk.flush().catch(collect)
      const { hit } = stores[failing]
      if (!forGood) stores[failing].disarm()
      await opened.close().catch(collect)
      stores[failing].disarm()
      for (const failure of failures) expect(failure).toBeInstanceOf(BlockError)
      if (!hit) expect(failures).toEqual([])
      await verify(new MemoryStore(stores.image.bytes()), new MemoryStore(stores.data.bytes()), `request ${index}`)
      return hit
    })
  })
})
