/** Proves which file guest data goes to, and that a data file ends with its image. */

import { expect, test } from 'vitest'
import { DataFile } from '../../src/metadata/data-file.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

test('data in the image’s own file', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(65536)))
  expect(image.data).toMatchObject({ isExternal: false, isRaw: false, childName: undefined })
  expect(image.data.file).toBe(image.file)
})

test.each([
  { dataFileRaw: false, isRaw: false },
  { dataFileRaw: true, isRaw: true },
])('data in a file of its own, $dataFileRaw', async ({ dataFileRaw, isRaw }) => {
  const data = new MemoryChild(new Uint8Array(65536).fill(7))
  const content = await newImage(65536, { dataFile: 'data', dataFileRaw })
  const { image } = await openOn(new MemoryChild(content), { data })
  expect(image.data).toMatchObject({ isExternal: true, isRaw, childName: 'file' })
  await image.data.discard(0, 512)
  await image.data.flush()
  expect(data.log.map(({ kind }) => kind)).toEqual(['discard', 'flush'])
  // Memory and disk no longer agree: nothing may be written any more, to whichever file.
  image.file.eject()
  expect(await failureOf(() => image.data.file.write(0, new Uint8Array(512)))).toBe('ENOMEDIUM No medium found')
})

test('a data file that was not opened has no medium', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(65536)))
  const data = new DataFile({ file: image.file, header: image.header, isExternal: true })
  expect(() => data.file).toThrow('No medium found')
})
