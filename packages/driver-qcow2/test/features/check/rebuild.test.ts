/** Refcount structures beyond repair are written anew, at the reference's places, without losing anything on the way. */

import { describe, expect, test } from 'vitest'
import { checked, filledImage, problems } from '../../helpers/damage.ts'
import { checkImage } from '../../../src/features/check/check.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'
import { failureOf, openOn } from '../../helpers/open-on.ts'

/** An image whose header counts as free, so that nothing but a rebuild helps. */
async function beyondRepair() {
  return (await filledImage()).count(0, 0).count(9, 2)
}

test('-r leaks does not rebuild', async () => {
  const { lines, failure } = await checked(await beyondRepair(), 'leaks')
  expect(lines.at(-1)).toBe('ERROR need to rebuild refcount structures')
  expect(failure).toBe('EIO Input/output error')
})

test('the new structures go behind the data, and the old ones are freed', async () => {
  const { lines, result, after } = await checked(await beyondRepair(), 'all')
  expect(lines).toEqual([
    'ERROR cluster 0 refcount=0 reference=1',
    'Leaked cluster 9 refcount=2 reference=1',
    'Rebuilding refcount structure',
    'Repairing cluster 1 refcount=1 reference=0',
    'Repairing cluster 2 refcount=1 reference=0',
  ])
  expect(problems(result)).toEqual({ corruptionsFixed: 1, leaksFixed: 1 })
  expect(after.header.refcountTableOffset).toBe(70 * 1024)
  expect(after.get(after.table())).toBe(69n * 1024n)
  expect((await checked(after)).lines).toEqual([])
})

test.each([1, 2, 4, 8, 32, 64])('with refcounts of %i bits', async (refcountBits) => {
  const image = (await filledImage({ refcountBits })).count(0, 0)
  const { after } = await checked(image, 'all')
  const { lines, result } = await checked(after)
  expect(lines).toEqual([])
  expect(problems(result)).toEqual({})
})

// 64 clusters to a block: blocks that count themselves, and a table that counts the blocks.
test('with many small blocks', async () => {
  const image = await filledImage({ clusterSize: 512, refcountBits: 64 })
  const { after } = await checked(image.count(0, 0), 'all')
  expect((await checked(after)).lines).toEqual([])
})

describe('failures', () => {
  /** A rebuild with the write at `offset` (or every flush) failing. */
  async function failing(offset: number | 'flush') {
    const image = await beyondRepair()
    const outcome = await checked(new MemoryChild(image.bytes), 'all', (file) => {
      file.fail = (request) => {
        const hit = offset === 'flush' ? request.kind === 'flush' && file.log.length > 2 : request.offset === offset
        return hit && request.kind !== 'read' ? 'EIO' : undefined
      }
    })
    return { ...outcome, before: image }
  }

  test.each([
    [69 * 1024, 'error: ERROR writing refblock: Input/output error'],
    [70 * 1024, 'error: ERROR writing reftable: Input/output error'],
    [48, 'error: ERROR setting reftable: Input/output error'],
    ['flush', 'error: ERROR setting reftable: Input/output error'],
  ] as const)('at %s', async (offset, message) => {
    const { lines, failure, after, before } = await failing(offset)
    expect(lines.at(-1)).toBe(message)
    expect(failure).toBe('EIO Input/output error')
    // The header still names the old structures, which nobody has touched.
    expect(after.header.refcountTableOffset).toBe(1024)
    expect(after.bytes.subarray(0, before.bytes.length)).toEqual(before.bytes)
  })

  // Corruption that the comparison met has ejected the image: nothing may be written any more.
  test('after fatal corruption', async () => {
    const image = await filledImage()
    image.set(image.table(), 0xa00n)
    const { lines, failure, after } = await checked(image, 'all')
    expect(lines).toContain('Rebuilding refcount structure')
    expect(lines.at(-1)).toBe('error: ERROR writing refblock: Input/output error')
    expect(failure).toBe('EIO Input/output error')
    expect(after.header.incompatibleFeatures.low).toBe(2)
  })
})

describe('on an image in use', () => {
  test('a flush that fails behind the header leaves the new structures in force', async () => {
    const file = new MemoryChild((await beyondRepair()).bytes)
    const { image } = await openOn(file, { check: true })
    file.fail = ({ kind }) => {
      const last = file.log.filter(({ kind: what }) => what !== 'event').at(-1)
      return kind === 'flush' && last?.offset === 48 ? 'EIO' : undefined
    }
    const repair = () => image.lock.run(() => checkImage(image, { repair: 'all' }))
    expect(await failureOf(repair)).toBe('EIO Input/output error')
    file.fail = () => undefined
    expect(image.refcountTable.offsetOf(0)).toBe(69 * 1024)
    // What is counted from now on is counted where the header says.
    expect(await image.allocator.allocate(1024)).toBe(71 * 1024)
    await file.write(71 * 1024, new Uint8Array(1024))
    await image.caches.flush()
    const { lines } = await checked(file)
    expect(lines).toEqual([1, 2, 71].map((cluster) => `Leaked cluster ${cluster} refcount=1 reference=0`))
  })

  // The new structures may lie in clusters that were given up just now: nobody may punch these any more.
  test('clusters that wait to be punched are punched first', async () => {
    const file = new MemoryChild((await filledImage()).bytes)
    const { image } = await openOn(file, { unmap: true })
    image.reads.begin()
    await image.zeroWriter.discard(0, 32 * 1024)
    await image.caches.flush()
    expect(image.freed.isEmpty).toBe(false)
    const lost = { first: 0, clusterCount: 1, delta: -1, discard: 'never', unlinked: 'on-disk' } as const
    await image.refcounts.update(lost)
    const repair = image.lock.run(() => checkImage(image, { repair: 'all' }))
    image.reads.end()
    await repair
    await image.caches.flush()
    await image.caches.flush()
    expect((await checked(file)).lines).toEqual([])
  })
})
