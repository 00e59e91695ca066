// Proves the main claim by cutting the power in simulation: whenever both images of a chain lose what was not flushed at
// the same moment of a commit, the disk reads as before, and both images are sound after the repair that a writable
// open does. And that this test would notice: without the flush of the base it finds lost data.
import { commitImage } from '@blocklayer/blockjob'
import { expectSameBytes, filled, MemoryStore, stamped } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../packages/driver-qcow2/src/features/create/options.ts'
import { checkStore, KiB, newImage, openDisk, readAll } from '../packages/driver-qcow2/test/helpers/disk.ts'
import { type CutState, SharedPower } from './power/shared-cut.ts'

interface Shape {
  readonly name: string
  readonly base: Qcow2CreateOptions
  readonly baseSize: number
  readonly top: Qcow2CreateOptions
  readonly topSize: number
  /** Moves the L1 table of the top; data takes its old place. */
  readonly grownFrom?: number
}

const plain = { baseSize: 256 * KiB, topSize: 256 * KiB }
const shapes: readonly Shape[] = [
  { ...plain, name: 'two new images', base: { clusterSize: 4096 }, top: { clusterSize: 4096 } },
  { ...plain, name: 'lazy refcounts', base: { clusterSize: 1024, lazyRefcounts: true }, top: { lazyRefcounts: true } },
  {
    ...plain,
    name: 'version 2',
    base: { compat: '0.10', clusterSize: 1024 },
    top: { compat: '0.10', clusterSize: 512 },
  },
  {
    name: 'a base that must grow, under a top that has grown',
    base: { clusterSize: 512, refcountBits: 64 },
    baseSize: 64 * KiB,
    top: { clusterSize: 512 },
    topSize: 300 * KiB,
    grownFrom: 32 * KiB,
  },
]

interface Images {
  readonly base: Uint8Array
  readonly top: Uint8Array
  readonly content: Uint8Array
}

/** A chain with data in both images, and zeroes in the top over data in the base. */
async function makeImages({ base, baseSize, top, topSize, grownFrom }: Shape): Promise<Images> {
  const below = new MemoryStore(await newImage(baseSize, base))
  const above = new MemoryStore(await newImage(grownFrom ?? topSize, top, { filename: 'base', format: 'qcow2' }))
  const first = await openDisk(below)
  await first.disk.write(0, stamped(0, 40 * KiB, 1))
  await first.close()
  const chain = await openDisk(above, { backing: below, unmap: true })
  await chain.disk.write(8 * KiB, stamped(0, 5000, 2))
  if (grownFrom !== undefined) await chain.disk.truncate(topSize)
  await chain.disk.writeZeroes(16 * KiB, 8 * KiB)
  await chain.disk.write(31 * KiB, filled(3, 2 * KiB))
  await chain.disk.write(topSize - 9 * KiB, stamped(0, 9 * KiB, 4))
  const content = await readAll(chain.disk)
  await chain.close()
  return { base: below.bytes(), top: above.bytes(), content }
}

/** Commits with all that reaches the two disks recorded. */
async function commitRecorded(images: Images, baseDisk: (power: SharedPower) => MemoryStore): Promise<SharedPower> {
  const power = new SharedPower()
  const base = baseDisk(power)
  const top = power.disk(images.top)
  const chain = await openDisk(top, { backing: base, unmap: true })
  await commitImage(chain.graph, chain.disk)
  expectSameBytes(await readAll(chain.disk), images.content, 'after the commit')
  await chain.close()
  return power
}

/** The disk reads as before, through the images as they are and as a writable open leaves them, which are sound. */
async function verify({ name, stores }: CutState, content: Uint8Array): Promise<void> {
  const [base, top] = stores as [MemoryStore, MemoryStore]
  const reader = await openDisk(top, { readOnly: true, backing: base })
  expectSameBytes(await readAll(reader.disk), content, `state ${name}`)
  await reader.close()
  await (await openDisk(base)).close()
  const writer = await openDisk(top, { backing: base })
  expectSameBytes(await readAll(writer.disk), content, `state ${name}, repaired`)
  await writer.close()
  for (const image of stores) {
    const { corruptions, checkErrors } = await checkStore(image)
    expect({ name, corruptions, checkErrors }).toEqual({ name, corruptions: 0, checkErrors: 0 })
  }
}

const cuts = { seed: 2014, exhaustive: 7, samples: 12 }

describe.each(shapes)('commit: $name', (shape) => {
  test('survives a power cut that both images share', async () => {
    const images = await makeImages(shape)
    const power = await commitRecorded(images, (shared) => shared.disk(images.base))
    let count = 0
    for (const state of power.states(cuts)) {
      await verify(state, images.content)
      count++
    }
    expect(count).toBeGreaterThan(30)
  })
})

test('without the flushes of the base, a power cut loses data', async () => {
  const images = await makeImages(shapes[0]!)
  const power = await commitRecorded(images, (shared) => {
    const disk = shared.disk(images.base)
    disk.flush = () => undefined
    return disk
  })
  let violations = 0
  for (const state of power.states({ ...cuts, exhaustive: 3, samples: 4 })) {
    await verify(state, images.content).catch(() => violations++)
  }
  expect(violations).toBeGreaterThan(10)
})
