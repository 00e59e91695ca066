/** Proves which zero writes and discards need no data, and that they wait for writes to the same clusters. */

import { filled } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'

const cluster = 65536
const notSupported = 'ENOTSUP Operation not supported'

async function open(options: { compat?: string; size?: number; backing?: MemoryChild } = {}) {
  const { compat = '1.1', size = 1024 * 1024, backing } = options
  const file = new MemoryChild(await newImage(size, { compat }))
  const opened = await openOn(file, backing === undefined ? {} : { backing })
  const typeAt = async (offset: number) => (await opened.image.lookup.find(offset as never, 1)).type
  return { file, ...opened, typeAt, zeroes: opened.image.zeroWriter }
}

describe('a part of a cluster', () => {
  test('zeroes all of it where the rest is zero already', async () => {
    const { zeroes, typeAt } = await open()
    await zeroes.writeZeroes(4096, 4096, { mayUnmap: false })
    expect([await typeAt(0), await typeAt(cluster)]).toEqual(['zero-plain', 'unallocated'])
    await zeroes.writeZeroes(cluster - 512, 512, { mayUnmap: false })
    expect(await typeAt(0)).toBe('zero-plain')
  })

  test('is refused on data', async () => {
    const { zeroes, image } = await open()
    await image.writer.write(0, filled(1, cluster))
    expect(await failureOf(() => zeroes.writeZeroes(4096, 4096, { mayUnmap: true }))).toBe(notSupported)
  })

  test('is refused where the backing file may show something', async () => {
    const backing = new MemoryChild(new Uint8Array(1024 * 1024))
    const { zeroes } = await open({ backing })
    expect(await failureOf(() => zeroes.writeZeroes(0, 4096, { mayUnmap: false }))).toBe(notSupported)
    backing.readsZero = async () => true
    await zeroes.writeZeroes(0, 4096, { mayUnmap: false })
  })

  test('at the end of the disk counts as whole', async () => {
    const { zeroes, image, typeAt } = await open({ size: cluster + 512 })
    await image.writer.write(cluster, filled(1, 512))
    await zeroes.writeZeroes(cluster, 512, { mayUnmap: true })
    expect(await typeAt(cluster)).toBe('zero-plain')
  })
})

describe('discards', () => {
  test('whole clusters, and the last one of the disk', async () => {
    const { zeroes, image, typeAt } = await open({ size: 3 * cluster + 512 })
    await image.writer.write(0, filled(1, 3 * cluster + 512))
    expect(await failureOf(() => zeroes.discard(512, cluster))).toBe(notSupported)
    expect(await failureOf(() => zeroes.discard(0, cluster + 512))).toBe(notSupported)
    await zeroes.discard(cluster, cluster)
    await zeroes.discard(3 * cluster, 512)
    expect(await Promise.all([0, 1, 2, 3].map((at) => typeAt(at * cluster)))).toEqual([
      'normal',
      'zero-plain',
      'normal',
      'zero-plain',
    ])
  })

  test('version 2 over a backing file has no way to hide it', async () => {
    const backing = new MemoryChild(new Uint8Array(512))
    const { zeroes } = await open({ compat: '0.10', backing })
    expect(await failureOf(() => zeroes.discard(0, cluster))).toBe(notSupported)
  })
})

test.each(['discard', 'writeZeroes'] as const)('%s waits for data on its way to the same cluster', async (kind) => {
  const { zeroes, image, typeAt } = await open()
  await image.writer.write(0, filled(1, 2 * cluster))
  const pending = { start: 0 as never, end: cluster, allocates: false }
  image.inFlight.add(pending)
  const act = (offset: number): Promise<void> =>
    kind === 'discard' ? zeroes.discard(offset, cluster) : zeroes.writeZeroes(offset, cluster, { mayUnmap: true })
  const waiting = act(0)
  await act(cluster)
  expect([await typeAt(0), await typeAt(cluster)]).toEqual(['normal', 'zero-plain'])
  image.inFlight.remove(pending)
  await waiting
  expect(await typeAt(0)).toBe('zero-plain')
})
