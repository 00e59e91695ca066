/** Proves what a commit finds to copy, and that looking for it can be stopped. */
import { createDirtyBitmap } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import { commit } from '../../src/index.ts'
import { markAllocated } from '../../src/mirror/dirty-init.ts'
import { type Chain, KiB, MiB, openChain, threeImages } from '../helpers/chain.ts'
import { messageOf, testJob } from '../helpers/test-job.ts'

/** Dirty bytes between two images of the chain. */
async function dirtyBetween(chain: Chain, top: string, base: string | undefined): Promise<number> {
  const { bitmap, remove } = createDirtyBitmap(chain.node(top), 64 * KiB)
  const { job } = testJob()
  const below = base === undefined ? undefined : chain.node(base)
  job.start({ run: () => markAllocated(job, bitmap, chain.node(top), below) })
  await job.done
  remove()
  return bitmap.dirtyBytes
}

// spec/jobs.md, section 29: base 1 MiB, mid 512 KiB, top 256 KiB.
test('everything that is allocated above the base', async () => {
  const chain = await openChain(threeImages)
  expect(await dirtyBetween(chain, 'top', 'mid')).toBe(262144)
  expect(await dirtyBetween(chain, 'top', 'base')).toBe(786432)
  expect(await dirtyBetween(chain, 'mid', 'base')).toBe(524288)
  expect(await dirtyBetween(chain, 'top', undefined)).toBe(1835008)
  await chain.graph.close()
})

// spec/qemu-img.md, section 13.4: what lies past the end of a short image between them reads as zero, also in the base.
test('what a shorter image hides of a longer base', async () => {
  const chain = await openChain([
    { name: 'base', length: 4 * MiB, writes: [[0, 4 * MiB, 0x11]] },
    { name: 'mid', length: MiB },
    { name: 'top', length: 2 * MiB },
  ])
  expect(await dirtyBetween(chain, 'top', 'base')).toBe(MiB)
  await commit(chain.graph, { top: chain.disk.root }).done
  const tail = new Uint8Array(MiB)
  await chain.disk.read(MiB, tail)
  expect(tail.every((byte) => byte === 0)).toBe(true)
  await chain.disk.read(2 * MiB, tail)
  expect(tail.every((byte) => byte === 0x11)).toBe(true)
  await chain.graph.close()
})

describe('on the way', () => {
  test('a cancelled job stops looking', async () => {
    const chain = await openChain(threeImages)
    const { job } = testJob()
    await job.cancel({ force: true })
    const { bitmap } = createDirtyBitmap(chain.node('top'), 64 * KiB)
    await markAllocated(job, bitmap, chain.node('top'), chain.node('base'))
    expect(bitmap.dirtyBytes).toBe(0)
    await chain.graph.close()
  })

  test('an image whose mapping cannot be read fails the job', async () => {
    const chain = await openChain(threeImages, { watched: true })
    chain.requests.add({ operation: 'status', code: 'EIO' })
    const job = commit(chain.graph, { top: chain.disk.root })
    expect(await messageOf(() => job.done)).toBe('Input/output error')
    await chain.graph.close()
  })
})
