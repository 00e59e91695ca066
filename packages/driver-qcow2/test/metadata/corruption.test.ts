/** Proves that corruption is said once, marks the image, and ends a writable one. */

import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const fileOf = async () => new MemoryChild(await newImage(1024 * 1024))

test('fatal: said, marked, ejected', async () => {
  const file = await fileOf()
  const { image, lines, ejected } = await openOn(file)
  expect((await image.corruption.signal('fatal', 'the first')).code).toBe('EIO')
  expect((await image.corruption.signal('fatal', 'the second')).code).toBe('EIO')
  expect(lines).toEqual(['qcow2: Marking image as corrupt: the first; further corruption events will be suppressed'])
  expect([ejected(), image.header.isCorrupt, file.content[79]]).toEqual([true, true, 2])
  expect(await failureOf(() => openOn(file))).toBe('EACCES qcow2: Image is corrupt; cannot be opened read/write')
  await openOn(file, { readOnly: true })
})

test('minor: said once, and the image lives on', async () => {
  const { image, lines, ejected } = await openOn(await fileOf())
  await image.corruption.signal('minor', 'a trifle')
  await image.corruption.signal('minor', 'another')
  expect(lines).toEqual(['qcow2: Image is corrupt: a trifle; further non-fatal corruption events will be suppressed'])
  expect(ejected()).toBe(false)
  await image.corruption.signal('fatal', 'worse')
  expect([lines.length, ejected()]).toEqual([2, true])
})

test('fatal counts as minor on a read-only image', async () => {
  const { image, lines, ejected } = await openOn(await fileOf(), { readOnly: true })
  await image.corruption.signal('fatal', 'bad')
  expect(lines[0]).toMatch(/^qcow2: Image is corrupt: bad;/)
  expect(ejected()).toBe(false)
})

test('the image ends even if the mark cannot be written', async () => {
  const file = await fileOf()
  const { image, ejected } = await openOn(file)
  file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
  expect((await image.corruption.signal('fatal', 'bad')).code).toBe('EIO')
  expect(ejected()).toBe(true)
})
