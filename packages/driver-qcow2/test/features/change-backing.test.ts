/** Proves that the recorded backing file changes as a whole, durably, and within its limits. */

import { expect, test } from 'vitest'
import { changeBacking } from '../../src/features/change-backing.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

test('to another file, to one without a format, to none', async () => {
  const file = new MemoryChild(await newImage(1024 * 1024))
  const { image } = await openOn(file)
  for (const backing of [{ filename: 'a', format: 'raw' }, { filename: 'b', format: undefined }, undefined]) {
    await changeBacking(image, backing)
    // What comes after the last flush only tidies up behind the first sector, where the header looks no more.
    const tidied = file.log.slice(file.log.findLastIndex(({ kind }) => kind === 'flush') + 1)
    expect(tidied.every(({ offset }) => offset === 512)).toBe(true)
    expect((await openOn(file, { readOnly: true })).reference()).toEqual(backing)
  }
})

test('names that do not fit', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024, { clusterSize: 512 })))
  const attempt = (filename: string, format?: string) => failureOf(() => changeBacking(image, { filename, format }))
  expect(await attempt('a'.repeat(1024))).toBe('EINVAL Invalid argument')
  expect(await attempt('a', 'f'.repeat(16))).toBe('EINVAL Invalid argument')
  expect(await attempt('a'.repeat(500))).toBe('ENOSPC No space left on device')
  expect(image.header.extensions.backingFile).toBeUndefined()
})
