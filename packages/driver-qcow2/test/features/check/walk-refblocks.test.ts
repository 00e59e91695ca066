/** Refcount blocks that cannot be what the table says condemn the refcount structures, or are covered by the file. */

import { describe, expect, test } from 'vitest'
import { checked, Damaged, filledImage, problems } from '../../helpers/damage.ts'
import { MemoryChild } from '../../helpers/memory-child.ts'

describe('an entry of the refcount table', () => {
  test('with reserved bits', async () => {
    const image = await filledImage()
    image.set(image.table(1), 0x10n)
    expect((await checked(image)).lines[0]).toBe('ERROR refcount table entry 1 has reserved bits set')
    expect(problems((await checked(image, 'all')).result)).toMatchObject({ corruptionsFixed: 1 })
  })

  test('that points between two clusters', async () => {
    const image = await filledImage()
    image.set(image.table(1), 0x200n)
    const { lines } = await checked(image)
    expect(lines[0]).toBe('ERROR refcount block 1 is not cluster aligned; refcount table entry corrupted')
  })

  test('that shares its cluster', async () => {
    const image = await filledImage()
    image.set(image.table(1), 5n * 1024n)
    expect((await checked(image)).lines[0]).toBe('ERROR refcount block 1 refcount=2')
  })
})

describe('a block behind the end of the file', () => {
  test('is reported', async () => {
    const image = await filledImage()
    image.set(image.table(1), 100n * 1024n)
    const { lines, result } = await checked(image)
    expect(lines).toEqual(['ERROR refcount block 1 is outside image'])
    expect(problems(result)).toEqual({ corruptions: 1 })
  })

  test('makes a repair lengthen the file', async () => {
    const image = await filledImage()
    image.set(image.table(1), 100n * 1024n)
    const { lines, result, after } = await checked(image, 'all')
    expect(lines[0]).toBe('Repairing refcount block 1 is outside image')
    expect(lines).toContain('Rebuilding refcount structure')
    expect(after.bytes.length).toBeGreaterThanOrEqual(101 * 1024)
    expect(result).toMatchObject({ corruptions: 0, leaks: 0 })
  })

  test('where the file cannot become longer', async () => {
    const image = await filledImage()
    image.set(image.table(1), 0x0000100000000000n)
    const { lines } = await checked(image, 'all')
    expect(lines.slice(0, 3)).toEqual([
      'Repairing refcount block 1 is outside image',
      'error: Could not resize file: File too large',
      'ERROR could not resize image: File too large',
    ])
  })

  // Grown so far, the file could be neither checked nor mended any more, not even where it may be so long.
  test('past all that a refcount table can count', async () => {
    const image = await filledImage({ refcountBits: 64 })
    const far = 2n ** 20n * 128n * 1024n
    image.set(image.table(1), far - 1024n).set(image.table(2), far)
    const asked: number[] = []
    const { lines, after } = await checked(new MemoryChild(image.bytes), 'all', (file) => {
      file.truncate = async (length) => void asked.push(length)
    })
    expect(asked).toEqual([Number(far)])
    expect(lines).toContain('ERROR could not resize image: File too large')
    expect(after.bytes.length).toBeLessThan(200 * 1024)
    expect((await checked(after)).lines).toEqual([])
  })

  // The comparison would meet the entry, and end the repair: a file that was sound but for its table would be lost.
  test('where the file would reach into the range of an entry that is not aligned', async () => {
    const image = await filledImage()
    image
      .set(image.table(1), 512n * 1024n)
      .set(image.table(2), 511n * 1024n)
      .set(image.table(3), 0x200n)
    const near = await checked(new Damaged(image.bytes.slice()), 'all')
    expect(near.after.bytes.length).toBeGreaterThanOrEqual(513 * 1024)
    expect(near.result).toMatchObject({ corruptions: 0, leaks: 0 })
    image.set(image.table(1), 3n * 512n * 1024n)
    const { lines, result, after } = await checked(image, 'all')
    expect(lines).toContain('ERROR could not resize image: File too large')
    expect(result).toMatchObject({ corruptions: 0, leaks: 0 })
    expect((await checked(after)).lines).toEqual([])
  })

  test('past all that an offset can be', async () => {
    const image = await filledImage()
    image.set(image.table(1), 0xfffffffffffffc00n)
    expect((await checked(image, 'all')).lines[1]).toBe('ERROR could not resize image: Invalid argument')
  })
})
