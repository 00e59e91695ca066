/**
 * Proves for each operation on an image with extended L2 entries that neither a power cut, whatever sectors of the
 * unflushed writes it keeps, nor a failing request shows a sector that is neither the old nor the new one, or leaves
 * more than leaks behind.
 */

import { applySnapshot, type BlockBackend, createSnapshot, deleteSnapshot } from '@blocklayer/block-core'
import { BlockError } from '@blocklayer/block-core/driver'
import { FaultStore, filled, forEachFault, MemoryStore, PowerLossStore } from '@blocklayer/block-core/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { checkStore, KiB, newImage, openDisk, readAll } from './helpers/disk.ts'

const clusterSize = 32 * KiB
/** Subclusters of 1 KiB: what is smaller has to be copied around. */
const options = { clusterSize, extendedL2: true }
const size = 12 * clusterSize
const at = (cluster: number, kibibytes: number): number => cluster * clusterSize + kibibytes * KiB

const seed = Number(process.env.SEED ?? 1)
/** One state in so many is looked at; 1 for all of them, which takes minutes. */
const stride = Number(process.env.STRIDE ?? 6)
/** Slices of one sector, which is what these entries fill: the rest of a table would only make for more states. */
const slices = { l2CacheSize: 4096, l2CacheEntrySize: 512 }

/** Every kind of cluster: full, mixed, partly zero without a host cluster, compressed, nothing, discarded; shared ones. */
async function prepare(): Promise<{ image: Uint8Array; backing: MemoryStore }> {
  const backing = new MemoryStore(await newImage(size))
  const below = await openDisk(backing)
  await below.disk.write(0, filled(0x77, size))
  await below.close()
  const reference = { filename: 'backing', format: 'qcow2' }
  const store = new MemoryStore(await newImage(size, options, reference))
  const opened = await openDisk(store, { backing })
  const { disk } = opened
  await disk.write(at(8, 0), filled(8, 2 * clusterSize))
  await disk.write(at(10, 4), filled(10, 3 * KiB))
  await disk.writeZeroes(at(10, 20), 5 * KiB)
  await createSnapshot(disk, { name: 'old' })
  await disk.write(at(0, 0), filled(1, clusterSize))
  await disk.write(at(1, 0), filled(2, 4 * KiB))
  await disk.writeZeroes(at(1, 8), 4 * KiB)
  await disk.writeZeroes(at(2, 5), 9 * KiB)
  await disk.writeCompressed(at(3, 0), filled(3, clusterSize))
  await disk.write(at(5, 0), filled(5, clusterSize))
  await disk.discard(at(5, 0), clusterSize)
  await disk.write(at(6, 0), filled(6, 2 * clusterSize))
  await opened.close()
  return { image: store.bytes(), backing }
}

interface Operation {
  readonly name: string
  /** What sectors may hold on the way. */
  readonly passes?: number
  run(disk: BlockBackend): Promise<unknown>
}

const write = (name: string, offset: number, bytes: number): Operation => ({
  name,
  run: (disk) => disk.write(offset, filled(0xee, bytes)),
})

const zero = (name: string, offset: number, bytes: number, mayUnmap: boolean): Operation => ({
  name,
  run: (disk) => disk.writeZeroes(offset, bytes, { mayUnmap }),
})

const operations: readonly Operation[] = [
  write('an allocating write', at(4, 2) + 512, 3 * KiB),
  write('a write of unallocated subclusters of an allocated cluster', at(1, 16) + 512, 3 * KiB),
  write('a write of zero subclusters of an allocated cluster', at(1, 9) + 512, KiB),
  write('a write from data over holes into zeroes', at(1, 2) + 512, 8 * KiB),
  write('a write over zeroes without a host cluster', at(2, 4) + 512, 3 * KiB),
  write('a write into a compressed cluster', at(3, 7) + 512, 512),
  write('a write over clusters of many kinds', at(0, 30), 5 * clusterSize),
  write('a write to a shared cluster', at(10, 5) + 512, KiB),
  write('a write to a full shared cluster', at(8, 30) + 512, 4 * KiB),
  zero('zeroes in data', at(0, 3), 5 * KiB, false),
  zero('zeroes in parts of subclusters', at(0, 3) + 512, 5 * KiB, false),
  zero('zeroes over clusters of many kinds', at(0, 30), 5 * clusterSize, true),
  zero('zeroes in shared clusters', at(8, 5), 2 * clusterSize, true),
  { name: 'a discard', run: (disk) => disk.discard(at(0, 0), 8 * clusterSize) },
  { name: 'a discard of shared clusters', run: (disk) => disk.discard(at(8, 0), 3 * clusterSize) },
  { name: 'a compressed write', run: (disk) => disk.writeCompressed(at(4, 0), filled(0xee, clusterSize)) },
  {
    name: 'a write of zeroes, and of data into them before anything is durable',
    passes: 0,
    run: async (disk) => {
      await disk.writeZeroes(at(0, 8), 4 * KiB)
      await disk.write(at(0, 9) + 512, filled(0xee, 512))
    },
  },
  {
    name: 'a snapshot',
    run: async (disk) => {
      await createSnapshot(disk, { name: 'new' })
    },
  },
  { name: 'going back to a snapshot', run: (disk) => applySnapshot(disk, { name: 'old' }) },
  { name: 'forgetting a snapshot', run: (disk) => deleteSnapshot(disk, { name: 'old' }) },
  { name: 'shrinking into a cluster', run: (disk) => disk.truncate(at(1, 9) + 512) },
  { name: 'growing', run: (disk) => disk.truncate(size + 3 * clusterSize + 512) },
  { name: 'emptying', run: (disk) => disk.makeEmpty() },
]

describe.each(operations)('$name', ({ run, passes }) => {
  let image: Uint8Array
  let backing: MemoryStore
  let before: Uint8Array
  let after: Uint8Array

  beforeAll(async () => {
    ;({ image, backing } = await prepare())
    const opened = await openDisk(new MemoryStore(image), { backing, unmap: true })
    before = await readAll(opened.disk)
    await run(opened.disk)
    after = await readAll(opened.disk)
    await opened.close()
  })

  async function verify(store: MemoryStore, what: string): Promise<void> {
    // A dirty mark, which snapshots set, leads to a repair here.
    await (await openDisk(store, { backing })).close()
    expect({ what, ...(await checkStore(store)) }).toMatchObject({ what, corruptions: 0, checkErrors: 0 })
    await using opened = await openDisk(store, { backing, readOnly: true })
    const content = await readAll(opened.disk)
    expect([before.length, after.length], what).toContain(content.length)
    for (let sector = 0; sector < content.length; sector += 512) {
      const allowed = [before[sector], passes, content.length <= after.length ? after[sector] : undefined]
      for (const offset of [sector, sector + 511]) {
        if (!allowed.includes(content[offset])) {
          expect.fail(`${what}: ${content[offset]} at ${offset}, allowed is ${allowed.join(' or ')}`)
        }
      }
    }
  }

  test('with the power cut', async () => {
    const store = new PowerLossStore(image)
    const opened = await openDisk(store, { backing, unmap: true, qcow2: slices })
    await run(opened.disk)
    await opened.close()
    let states = 0
    for (const state of store.crashStates({ seed, tear: 512, exhaustive: 3, samples: 4 })) {
      if (states++ % stride !== seed % stride) continue
      await verify(new MemoryStore(state.store.bytes()), state.name)
    }
    expect(states).toBeGreaterThan(1)
  })

  test.each([false, true])('with a failing request, for good: %s', async (forGood) => {
    const tried = await forEachFault(async (index) => {
      const store = new FaultStore(image)
      const opened = await openDisk(store, { backing, unmap: true, qcow2: slices })
      store.arm({ index, forGood, code: 'EIO' })
      const failures: unknown[] = []
      const collect = (error: unknown): void => void failures.push(error)
      await run(opened.disk).catch(collect)
      await opened.disk.flush().catch(collect)
      const { hit } = store
      if (!forGood) store.disarm()
      await opened.close().catch(collect)
      store.disarm()
      for (const failure of failures) expect(failure).toBeInstanceOf(BlockError)
      await verify(new MemoryStore(store.bytes()), `request ${index}`)
      return hit
    })
    expect(tried).toBeGreaterThan(1)
  })
})
