/** Counts that are too high are leaks, too low ones corruptions, and both are mended in place where that is possible. */

import { describe, expect, test } from 'vitest'
import { checked, filledImage, problems } from '../../helpers/damage.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'

test('a leak', async () => {
  const image = (await filledImage()).count(9, 3)
  const { lines, result } = await checked(image)
  expect(lines).toEqual([
    'Leaked cluster 9 refcount=3 reference=1',
    'ERROR OFLAG_COPIED data cluster: l2_entry=8000000000002400 refcount=3',
  ])
  expect(problems(result)).toEqual({ leaks: 1, corruptions: 1 })
  const repaired = await checked(image, 'leaks')
  expect(repaired.lines).toEqual([
    'Leaked cluster 9 refcount=3 reference=1',
    'Repairing cluster 9 refcount=3 reference=1',
  ])
  expect(problems(repaired.result)).toEqual({ leaksFixed: 1 })
  expect((await checked(repaired.after)).lines).toEqual([])
})

test('a leaked cluster that nobody uses is punched out of the file', async () => {
  const image = await filledImage()
  image.set(image.l2(4), 0n)
  const file = new MemoryChild(image.bytes)
  await checked(file, 'leaks')
  expect(file.log).toContainEqual({ kind: 'discard', offset: 9 * 1024, bytes: 1024 })
})

test('a count that is too low, but not zero', async () => {
  const image = await filledImage()
  image.set(image.l2(1), image.get(image.l2(0)))
  const { lines } = await checked(image, 'leaks')
  expect(lines.slice(0, 4)).toEqual([
    'ERROR cluster 5 refcount=1 reference=2',
    'Leaked cluster 6 refcount=1 reference=0',
    'ERROR cluster 5 refcount=1 reference=2',
    'Repairing cluster 6 refcount=1 reference=0',
  ])
  const repaired = await checked(image, 'all')
  expect(repaired.lines).toContain('Repairing cluster 5 refcount=1 reference=2')
  expect(problems(repaired.result)).toEqual({ leaksFixed: 1, corruptionsFixed: 3 })
  expect((await checked(repaired.after)).lines).toEqual([])
})

// 2^56 + 1 is no number that JavaScript can count with: a difference would be rounded, and the cluster freed.
test('a count past 2^53 is brought down to what it should be', async () => {
  const image = await filledImage({ refcountBits: 64 })
  const block = Number(image.get(image.table()))
  image.set(block + 8 * 9, 2n ** 56n + 1n)
  const repaired = await checked(image, 'all')
  expect(repaired.after.get(block + 8 * 9)).toBe(1n)
  expect((await checked(repaired.after)).lines).toEqual([])
})

describe('failures', () => {
  test('counts that cannot be read', async () => {
    const { lines, result } = await checked(new MemoryChild((await filledImage()).bytes), 'none', (file) => {
      file.fail = ({ kind, offset }) => (kind === 'read' && offset === 2048 ? 'EIO' : undefined)
    })
    expect(lines[0]).toBe("Can't get refcount for cluster 0: Input/output error")
    expect(problems(result)).toEqual({ checkErrors: 69 })
  })

  // A damaged table can make a repair grow the file to terabytes: naming each of its clusters would never end.
  test('counts that cannot be read, of very many clusters', async () => {
    const image = await filledImage()
    for (let index = 0; index < 1024 / 8; index++) image.set(image.table(index), (1n << 20n) + 512n)
    const bytes = new Uint8Array(40_000 * 1024)
    bytes.set(image.bytes)
    const { lines, result } = await checked(new MemoryChild(bytes))
    const named = lines.filter((line) => line.startsWith("Can't get refcount for cluster "))
    // One by one up to number 16383, and then the first of each block of 512.
    expect(named).toHaveLength(16_384 + 47)
    expect(named.at(-1)).toBe("Can't get refcount for cluster 39936: Input/output error")
    expect(result?.checkErrors).toBe(40_000)
  })

  // A count that cannot be raised any more stays a corruption, and the repair goes on with the others.
  test('a repair that does not fit the width', async () => {
    const image = await filledImage({ refcountBits: 1 })
    image.set(image.l2(1), image.get(image.l2(0)))
    const { lines, result } = await checked(image, 'all')
    expect(lines[0]).toBe('ERROR: overflow cluster offset=0x1400')
    expect(result).toMatchObject({ leaksFixed: 1, leaks: 0 })
  })
})
