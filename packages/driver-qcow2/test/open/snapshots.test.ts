/** Proves that the tables of snapshots are known as metadata; what writes to them say is in overlap-check.test.ts. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../helpers/reference.ts'

test('an image without snapshots has no such tables', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024)))
  expect(image.regions.test('snapshot-table')?.(0, 2 ** 50)).toBe(false)
  expect(image.regions.test('inactive-l1')?.(0, 2 ** 50)).toBe(false)
  expect(image.regions.test('inactive-l2')?.(0, 2 ** 50)).toBe(false)
})

describeWithReference('an image with two snapshots', () => {
  test('each has an L1 table, with L2 tables behind it', async () => {
    using folder = new TemporaryFolder()
    const path = folder.file('image')
    qemuImg('create', '-f', 'qcow2', path, '1M')
    qemuIo(path, 'write 0 64k')
    qemuImg('snapshot', '-c', 'a', path)
    qemuImg('snapshot', '-c', 'b', path)
    const { image } = await openOn(new MemoryChild(new Uint8Array(readFileSync(path))), { readOnly: true })
    const { regions, header } = image
    expect(header.header.nbSnapshots).toBe(2)
    const { snapshotsOffset } = header.header
    expect(regions.test('snapshot-table')?.(snapshotsOffset, snapshotsOffset + 1)).toBe(true)
    expect(regions.test('inactive-l1')?.(6 * 65536, 6 * 65536 + 8)).toBe(true)
    expect(await regions.test('inactive-l2')?.(4 * 65536, 5 * 65536)).toBe(true)
    expect(await regions.test('inactive-l2')?.(5 * 65536, 6 * 65536)).toBe(false)
  })
})
