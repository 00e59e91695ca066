/**
 * Proves that compressed clusters are packed, readable by everybody, never written over each other, and that neither a
 * power cut nor a failing request shows what was not written.
 */

import { expectSameBytes, FaultStore, filled, MemoryStore, PowerLossStore } from '@blocklayer/block-core/testing'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../../src/features/create/options.ts'
import { checkStore, KiB, MiB, newImage, openDisk, readAll } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { failureOf, openOn } from '../helpers/open-on.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../helpers/reference.ts'

const clean = { corruptions: 0, leaks: 0, checkErrors: 0 }

/** Text: it compresses to something like a third. */
function text(bytes: number, seed = 0): Uint8Array {
  let state = seed + 1
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return 97 + ((state >>> 16) % 5)
  })
}

/** Noise: it does not compress. */
function noise(bytes: number): Uint8Array {
  let state = 7
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

test.each([
  {},
  { clusterSize: 512 },
  { clusterSize: 4096, refcountBits: 1 },
  { clusterSize: 2 * MiB },
  { compressionType: 'zstd' },
  { compressionType: 'zstd', clusterSize: 512 },
  { compressionType: 'zstd', clusterSize: 2 * MiB },
] as Qcow2CreateOptions[])('clusters of an image made with %o', async (options) => {
  const cluster = Number(options.clusterSize ?? 65536)
  const size = 20 * cluster + 512
  const store = new MemoryStore(await newImage(size, options))
  const opened = await openDisk(store)
  const content = new Uint8Array(size)
  content.set(text(8 * cluster), 0)
  content.set(noise(cluster), 9 * cluster)
  content.set(filled(5, cluster), 12 * cluster)
  content.set(text(512, 3), 20 * cluster)
  await opened.disk.writeCompressed(0, content.subarray(0, 8 * cluster))
  await opened.disk.writeCompressed(9 * cluster, content.subarray(9 * cluster, 10 * cluster))
  await opened.disk.writeCompressed(12 * cluster, content.subarray(12 * cluster, 13 * cluster))
  await opened.disk.writeCompressed(20 * cluster, content.subarray(20 * cluster))
  await opened.disk.writeCompressed(0, new Uint8Array(0))
  expectSameBytes(await readAll(opened.disk), content, 'at once')
  await opened.close()
  expect(await checkStore(store)).toMatchObject(clean)
  await using again = await openDisk(store, { unmap: true })
  expectSameBytes(await readAll(again.disk), content, 'later')
  // A plain write takes the cluster out of its packet.
  await again.disk.write(cluster, filled(9, 512))
  content.fill(9, cluster, cluster + 512)
  await again.disk.discard(2 * cluster, cluster)
  content.fill(0, 2 * cluster, 3 * cluster)
  expectSameBytes(await readAll(again.disk), content, 'changed')
  await again.close()
  expect(await checkStore(store)).toMatchObject(clean)
})

test('what is packed shares host clusters', async () => {
  const store = new MemoryStore(await newImage(MiB))
  await using opened = await openDisk(store)
  for (let at = 0; at < 8; at++) await opened.disk.writeCompressed(at * 65536, filled(at + 1, 65536))
  await opened.close()
  // Header, tables and one cluster for all of them.
  expect(store.length).toBeLessThanOrEqual(6 * 65536)
  expect((await checkStore(store)).clusters).toMatchObject({ allocated: 8, compressed: 8 })
})

test('refusals', async () => {
  await using opened = await openDisk(new MemoryStore(await newImage(MiB)))
  const { disk } = opened
  expect(await failureOf(() => disk.writeCompressed(512, new Uint8Array(65536)))).toBe('EINVAL Invalid argument')
  expect(await failureOf(() => disk.writeCompressed(0, new Uint8Array(512)))).toBe('EINVAL Invalid argument')
  await disk.writeCompressed(0, text(65536))
  await disk.write(65536, filled(1, 512))
  expect(await failureOf(() => disk.writeCompressed(0, text(65536)))).toBe('EIO Input/output error')
  expect(await failureOf(() => disk.writeCompressed(65536, text(65536)))).toBe('EIO Input/output error')
  await disk.writeZeroes(131072, 65536)
  await disk.writeCompressed(131072, text(65536))
})

test('two writers of one cluster: one of them wins, the other is told', async () => {
  const store = new MemoryStore(await newImage(MiB))
  await using opened = await openDisk(store)
  const first = text(65536, 1)
  const results = await Promise.allSettled([
    opened.disk.writeCompressed(0, first),
    opened.disk.writeCompressed(0, text(65536, 2)),
    opened.disk.writeCompressed(65536, text(65536, 3)),
  ])
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1)
  await opened.close()
  expect(await checkStore(store)).toMatchObject(clean)
})

test('events come in the order of the reference', async () => {
  const file = new MemoryChild(await newImage(MiB))
  const { image } = await openOn(file)
  await image.l2Tables.loadForUpdate(0 as never)
  file.log.length = 0
  await image.compressedWriter.write(0, text(65536))
  expect(file.log.map(({ kind, event }) => event ?? kind)).toEqual([
    'cluster_alloc_bytes',
    'refblock_alloc',
    'refblock_load',
    'l2_update_compressed',
    'write_compressed',
    'write',
  ])
})

test('an L2 table that has to be made comes before the data in the file, as in the reference', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(MiB)))
  await image.compressedWriter.write(0, text(65536))
  expect(image.l1.offsetOf(0)).toBe(4 * 65536)
  expect(await image.lookup.find(0 as never, 1)).toMatchObject({ type: 'compressed', low: 5 * 65536 })
})

test('whenever the power fails, a cluster shows what was written to it, or nothing', async () => {
  const store = new PowerLossStore(await newImage(64 * KiB, { clusterSize: 4096 }))
  const opened = await openDisk(store)
  const written: { at: number; data: Uint8Array }[] = []
  for (let at = 0; at < 6; at++) {
    const data = text(4096, at)
    await opened.disk.writeCompressed(at * 4096, data)
    written.push({ at, data })
    if (at === 2) await opened.disk.flush()
  }
  await opened.close()
  for (const { name, store: cut } of store.crashStates()) {
    expect({ name, ...(await checkStore(cut)) }).toMatchObject({ name, corruptions: 0, checkErrors: 0 })
    await using after = await openDisk(cut)
    const content = await readAll(after.disk)
    for (const { at, data } of written) {
      const found = content.subarray(at * 4096, (at + 1) * 4096)
      const isEmpty = found.every((byte) => byte === 0)
      if (!isEmpty) expectSameBytes(found, data, `${name}: cluster ${at}`)
    }
  }
})

test('with the 1st, 2nd, 3rd… request failing nothing is lost', async () => {
  const start = await newImage(64 * KiB, { clusterSize: 512 })
  let failures = 0
  for (let index = 0; ; index++) {
    const store = new FaultStore(start)
    const opened = await openDisk(store)
    await opened.disk.writeCompressed(0, text(512))
    store.arm({ index, forGood: false, code: 'ENOSPC' })
    let failed = false
    await opened.disk.writeCompressed(512, text(2048, 3)).catch(() => {
      failed = true
      failures++
    })
    const { hit } = store
    store.disarm()
    const content = await readAll(opened.disk)
    expectSameBytes(content.subarray(0, 512), text(512), `request ${index}`)
    if (!failed) expectSameBytes(content.subarray(512, 2560), text(2048, 3), `request ${index}`)
    await opened.close().catch(() => {})
    expect({ index, ...(await checkStore(store)) }).toMatchObject({ index, corruptions: 0, checkErrors: 0 })
    if (!hit) break
  }
  expect(failures).toBeGreaterThan(3)
})

describeWithReference('the reference', () => {
  test.each(['zlib', 'zstd'])('reads what we compress with %s, and writes on in it', async (compressionType) => {
    using folder = new TemporaryFolder()
    const image = folder.file('image')
    const store = new MemoryStore(await newImage(MiB, { compressionType }))
    const opened = await openDisk(store)
    const content = text(MiB)
    await opened.disk.writeCompressed(0, content)
    await opened.close()
    writeFileSync(image, store.bytes())
    writeFileSync(folder.file('raw'), content)
    expect(qemuImg('check', image)).toMatchObject({ code: 0, err: '' })
    expect(qemuImg('compare', '-f', 'qcow2', '-F', 'raw', image, folder.file('raw')).code).toBe(0)
    qemuIo(image, 'write -P 3 64k 4k')
    await using back = await openDisk(new MemoryStore(readFileSync(image)))
    content.fill(3, 65536, 65536 + 4096)
    expectSameBytes(await readAll(back.disk), content, 'after the reference wrote')
  })

  // A random history found it: what is packed next overwrites the data of whom the freed cluster was given to.
  test('packs into a cluster that became free and somebody else’s; ours does not', async () => {
    using folder = new TemporaryFolder()
    const image = folder.file('image')
    const store = new MemoryStore(await newImage(MiB, {}))
    writeFileSync(image, store.bytes())
    qemuIo(image, 'write -c -P 1 0 64k', 'write -P 2 0 64k', 'write -P 3 64k 64k', 'write -c -P 4 128k 64k')
    expect(qemuImg('check', image).code).toBe(2)
    const theirs = await openDisk(new MemoryStore(readFileSync(image)))
    expect((await readAll(theirs.disk)).subarray(64 * KiB, 128 * KiB).every((byte) => byte === 3)).toBe(false)
    await theirs.close()
    const opened = await openDisk(store)
    const { disk } = opened
    await disk.writeCompressed(0, filled(1, 64 * KiB))
    await disk.write(0, filled(2, 64 * KiB))
    await disk.write(64 * KiB, filled(3, 64 * KiB))
    await disk.writeCompressed(128 * KiB, filled(4, 64 * KiB))
    expectSameBytes((await readAll(disk)).subarray(64 * KiB, 128 * KiB), filled(3, 64 * KiB), 'the data')
    await opened.close()
    expect(await checkStore(store)).toMatchObject(clean)
  })
})
