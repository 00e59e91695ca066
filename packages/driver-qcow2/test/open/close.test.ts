/** Proves that closing writes everything back, clears the dirty mark last, and tells what it could not do. */

import { filled } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { closeImage } from '../../src/open/close.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'

async function written(lazyRefcounts = false) {
  const file = new MemoryChild(await newImage(1024 * 1024, { lazyRefcounts }))
  const opened = await openOn(file)
  await opened.image.writer.write(0, filled(1, 65536))
  file.log.length = 0
  return { file, ...opened }
}

test('caches, then the dirty mark', async () => {
  const { file, image, lines } = await written(true)
  await closeImage(image)
  expect(file.log.map(({ kind, event }) => event ?? kind)).toEqual([
    'flush',
    'l2_update',
    'write',
    'flush',
    'refblock_update_part',
    'write',
    'flush',
    'flush',
    'write',
  ])
  expect(lines).toEqual([])
  expect((await openOn(file)).lines).toEqual([])
})

test('failures are told, and the image stays dirty', async () => {
  const { file, image, lines } = await written(true)
  file.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
  await closeImage(image)
  expect(lines).toEqual([
    'error: Failed to flush the L2 table cache: Input/output error',
    'error: Failed to flush the refcount block cache: Input/output error',
  ])
  expect(image.header.isDirty).toBe(true)
})

test('a mark that cannot be cleared is told', async () => {
  const { file, image, lines } = await written(true)
  file.fail = ({ kind, offset }) => (kind === 'write' && offset === 0 ? 'EIO' : undefined)
  await closeImage(image)
  expect(lines).toEqual(['error: Failed to mark the image clean: Input/output error'])
})

test('a read-only image has nothing to write', async () => {
  const file = new MemoryChild(await newImage(1024 * 1024))
  const { image } = await openOn(file, { readOnly: true })
  file.log.length = 0
  await closeImage(image)
  expect(file.log).toEqual([])
})
