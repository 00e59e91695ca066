/** Proves which data file is opened, that none is opened unasked, and what is said where there is none. */

import { createBlockGraph, type ImplicitOpenPolicy } from '@blocklayer/block-core'
import { ChildRoles } from '@blocklayer/block-core/driver'
import { filled, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { viewOf } from '../../src/format/bytes.ts'
import { qcow2, qcow2Driver } from '../../src/index.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'
import { describeWithReference, qemuImg, TemporaryFolder } from '../helpers/reference.ts'

const bytes = 65536
const withData = (): Promise<Uint8Array> => newImage(bytes, { dataFile: 'data', dataFileRaw: true })

/** Opens `image` in a graph with that policy; the file that it names shows 7, one that is given 8. */
async function opened(image: Uint8Array, implicitOpen: ImplicitOpenPolicy, isGiven = false, noIo = false) {
  const graph = createBlockGraph({ drivers: [qcow2Driver], implicitOpen })
  const dataFile = isGiven ? { dataFile: memory(new MemoryStore(filled(8, bytes))) } : {}
  const disk = await graph.open(qcow2({ file: memory(new MemoryStore(image)), ...dataFile }), { readOnly: true, noIo })
  return { disk, graph }
}

const policy: ImplicitOpenPolicy = ({ role, filename }) =>
  role === 'data-file' && filename === 'data' ? memory(new MemoryStore(filled(7, bytes))) : 'deny'

async function firstByte(...args: Parameters<typeof opened>): Promise<number> {
  const { disk, graph } = await opened(...args)
  const into = new Uint8Array(512)
  await disk.read(0, into)
  await graph.close()
  return into[0]!
}

describe('which file', () => {
  // The reference takes names for C strings, and the system would not take a NUL.
  test('a name ends at a NUL', async () => {
    const image = await newImage(bytes, { dataFile: 'data#more', dataFileRaw: true })
    image[image.indexOf('#'.charCodeAt(0))] = 0
    expect(await firstByte(image, policy)).toBe(7)
  })

  // The reference opens it by its bytes; a name in JavaScript has none but those of its letters.
  test('a name that is not UTF-8 is not the name of any file', async () => {
    const image = await newImage(bytes, { dataFile: 'data#', dataFileRaw: true })
    image[image.indexOf('#'.charCodeAt(0))] = 0xff
    expect(await failureOf(() => opened(image, policy))).toContain("'data\ufffd'")
  })

  test('the one that the image names, if the graph may open it', async () => {
    expect(await firstByte(await withData(), policy)).toBe(7)
    expect(await failureOf(async () => opened(await withData(), 'deny'))).toBe(
      "EACCES The image names the data-file file 'data', which this graph may not open",
    )
  })

  test('the one that the user describes, whatever the image says', async () => {
    expect(await firstByte(await withData(), 'deny', true)).toBe(8)
  })

  test('none where only metadata is looked at', async () => {
    const { disk, graph } = await opened(await withData(), 'deny', false, true)
    expect([...disk.root.children.keys()]).toEqual(['file'])
    await graph.close()
  })

  test('the image’s own file holds no data then', async () => {
    const { disk, graph } = await opened(await withData(), policy)
    expect([...disk.root.children.keys()]).toEqual(['file', 'data-file'])
    await graph.close()
    const roles: number[] = []
    await openOn(new MemoryChild(await withData()), { data: new MemoryChild(), onRole: (role) => roles.push(role) })
    expect(roles).toEqual([ChildRoles.metadata | ChildRoles.primary])
  })
})

describe('what is refused', () => {
  test('an image that names no data file, and nobody else does', async () => {
    const content = await withData()
    // The extension becomes one that nobody knows.
    viewOf(content).setUint32(112, 0x12345678)
    expect(await failureOf(() => opened(content, policy))).toBe("EINVAL 'data-file' is required for this image")
    expect(await firstByte(content, policy, true)).toBe(8)
  })

  test('a data file for an image without one', async () => {
    const message = "EINVAL 'data-file' can only be set for images with an external data file"
    expect(await failureOf(async () => opened(await newImage(bytes), policy, true))).toBe(message)
  })

  test('the bit of a raw data file without one', async () => {
    const content = await newImage(bytes)
    viewOf(content).setUint32(92, 2)
    expect(await failureOf(() => opened(content, policy))).toBe('EINVAL data-file-raw requires a data file')
  })
})

describeWithReference('as the reference', () => {
  test.each(['json:{"driver":"file","filename":"d"}', 'file:d', 'nbd://x', 'nowhere'])('%s', async (name) => {
    using folder = new TemporaryFolder()
    const image = folder.file('x')
    expect(qemuImg('create', '-q', '-f', 'qcow2', '-o', `data_file=${folder.file('d')}`, image, '64k').code).toBe(0)
    expect(qemuImg('amend', '-o', `data_file=${name.replaceAll(',', ',,')}`, image)).toMatchObject({ code: 0 })
    const { err } = qemuImg('map', image)
    expect(err).toContain(`Could not open '${name}': No such file or directory`)
  })
})
