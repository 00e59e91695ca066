/**
 * Proves that snapshots keep what the disk was, whatever is written, discarded or resized later; that counts and flags
 * are right after each step; and that no failing request loses anything.
 */

import { applySnapshot, createSnapshot, deleteSnapshot, showSnapshot } from '@blocklayer/block-core'
import { expectSameBytes, FaultStore, filled, MemoryStore, random, seeds } from '@blocklayer/block-core/testing'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Qcow2CreateOptions } from '../../../src/features/create/options.ts'
import { checkStore, KiB, MiB, newImage, openDisk, readAll } from '../../helpers/disk.ts'
import { failureOf } from '../../helpers/open-on.ts'
import { moment, names, small, snapshotSteps, verifySnapshots, withOld } from '../../helpers/snapshot-steps.ts'
import { describeWithReference, qemuImg, qemuIo, TemporaryFolder } from '../../helpers/reference.ts'

const clean = { corruptions: 0, leaks: 0, checkErrors: 0 }
const layouts: readonly { name: string; options: Qcow2CreateOptions }[] = [
  { name: 'default', options: {} },
  { name: 'version 2', options: { compat: '0.10', clusterSize: 4096 } },
  { name: 'small clusters, wide counts', options: { clusterSize: 512, refcountBits: 64 } },
  { name: 'narrow counts', options: { clusterSize: 1024, refcountBits: 4 } },
  { name: 'extended L2 entries', options: { clusterSize: 16384, extendedL2: true } },
  { name: 'lazy counts', options: { clusterSize: 4096, lazyRefcounts: true } },
]

async function start(options: Qcow2CreateOptions, size = MiB) {
  const store = new MemoryStore(await newImage(size, options))
  const opened = await openDisk(store)
  await opened.disk.write(0, filled(1, 64 * KiB))
  await opened.disk.write(500 * KiB, filled(2, 100 * KiB))
  return { store, opened, disk: opened.disk }
}

describe.each(layouts)('$name', ({ options }) => {
  test('the disk changes, the snapshot does not, and the disk comes back', async () => {
    const { store, opened, disk } = await start(options)
    const first = await readAll(disk)
    await createSnapshot(disk, { name: 'first', ...moment })
    // Lazy counts are not on disk yet: the mark says so.
    if (options.lazyRefcounts !== true) expect(await checkStore(store)).toMatchObject(clean)
    await disk.write(30 * KiB, filled(3, 60 * KiB))
    await disk.discard(512 * KiB, 64 * KiB)
    const second = await readAll(disk)
    await createSnapshot(disk, { name: 'second', ...moment })
    await disk.writeZeroes(0, MiB)
    await applySnapshot(disk, 'first')
    expectSameBytes(await readAll(disk), first, 'first')
    await applySnapshot(disk, { name: 'second' })
    expectSameBytes(await readAll(disk), second, 'second')
    await disk.write(0, filled(9, 4 * KiB))
    await deleteSnapshot(disk, { name: 'first' })
    expect(names(opened)).toEqual(['2 second'])
    await applySnapshot(disk, '2')
    expectSameBytes(await readAll(disk), second, 'second again')
    await deleteSnapshot(disk, { id: '2' })
    await opened.close()
    expect(await checkStore(store)).toMatchObject(clean)
    await using again = await openDisk(store)
    expect(names(again)).toEqual([])
    expectSameBytes(await readAll(again.disk), second, 'after closing')
  })

  test.each(seeds(17, 18))('random histories over several snapshots, seed %i', async (seed) => {
    const { store, opened, disk } = await start(options)
    const choose = random(seed)
    const kept = new Map<string, Uint8Array>()
    for (let step = 0; step < 60; step++) {
      const name = `s${choose.below(3)}`
      const at = choose.below(2000) * 512
      const bytes = Math.min(MiB - at, 512 + choose.below(100) * 512)
      const kind = choose.pick(['write', 'write', 'discard', 'create', 'apply', 'delete'])
      const content = kept.get(name)
      if (kind === 'write') await disk.write(at, filled(1 + choose.below(200), bytes))
      else if (kind === 'discard') await disk.discard(at, bytes)
      else if (kind === 'create' && content === undefined) {
        kept.set(name, await readAll(disk))
        await createSnapshot(disk, { name, ...moment })
      } else if (kind === 'apply' && content !== undefined) {
        await applySnapshot(disk, { name })
        expectSameBytes(await readAll(disk), content, `step ${step}: ${name}`)
      } else if (kind === 'delete' && kept.delete(name)) await deleteSnapshot(disk, { name })
      if (step % 10 === 9 && options.lazyRefcounts !== true) {
        await disk.flush()
        expect({ step, ...(await checkStore(store)) }).toMatchObject({ step, corruptions: 0, checkErrors: 0 })
      }
    }
    await opened.close()
    expect(await checkStore(store)).toMatchObject(clean)
  })
})

test('the size comes back as well', async () => {
  const { store, opened, disk } = await start({ clusterSize: 4096 })
  const before = await readAll(disk)
  await createSnapshot(disk, { name: 's', ...moment })
  await disk.truncate(64 * MiB)
  await disk.write(63 * MiB, filled(7, MiB))
  await applySnapshot(disk, 's')
  expectSameBytes(await readAll(disk), before, 'smaller again')
  await disk.truncate(256 * KiB)
  await applySnapshot(disk, 's')
  expectSameBytes(await readAll(disk), before, 'larger again')
  await opened.close()
  expect(await checkStore(store)).toMatchObject(clean)
})

test('a read-only disk shows a snapshot, until it is closed', async () => {
  const { store, opened, disk } = await start({})
  const before = await readAll(disk)
  await createSnapshot(disk, { name: 's', ...moment })
  await disk.write(0, filled(9, MiB))
  expect(await failureOf(() => showSnapshot(disk, 's'))).toBe('EINVAL Invalid argument')
  await opened.close()
  await using shown = await openDisk(store, { readOnly: true })
  expect(await failureOf(() => showSnapshot(shown.disk, 'none'))).toBe("ENOENT Can't find snapshot")
  await showSnapshot(shown.disk, { name: 's' })
  expectSameBytes(await readAll(shown.disk), before, 'shown')
  expect(await failureOf(() => createSnapshot(shown.disk, { name: 't' }))).toBe('EACCES Permission denied')
})

describe('refusals', () => {
  test('a snapshot that is not there', async () => {
    const { opened, disk } = await start({})
    const missing = 'ENOENT No such file or directory'
    expect(await failureOf(() => applySnapshot(disk, 'none'))).toBe(missing)
    expect(await failureOf(() => deleteSnapshot(disk, { id: '1' }))).toBe(missing)
    await opened.close()
  })

  test('a count that cannot be raised leaves everything as it was', async () => {
    const { store, opened, disk } = await start({ clusterSize: 1024, refcountBits: 1 })
    const before = await readAll(disk)
    expect(await failureOf(() => createSnapshot(disk, { name: 's' }))).toBe('EINVAL Invalid argument')
    expect(names(opened)).toEqual([])
    await disk.write(0, filled(5, KiB))
    before.fill(5, 0, KiB)
    expectSameBytes(await readAll(disk), before, 'the disk')
    await opened.close()
    expect(await checkStore(store)).toMatchObject(clean)
  })

  // A random history found that the reference has cut the disk by then, and raised counts that it does not lower again.
  test('a snapshot that cannot be applied for its counts changes neither the disk nor a count', async () => {
    const { store, opened, disk } = await start({ clusterSize: 4096, refcountBits: 2 })
    await createSnapshot(disk, { name: 'first', ...moment })
    await createSnapshot(disk, { name: 'second', ...moment })
    await disk.truncate(2 * MiB)
    await disk.write(MiB, filled(6, 64 * KiB))
    const before = await readAll(disk)
    expect(await failureOf(() => applySnapshot(disk, 'second'))).toBe('EINVAL Invalid argument')
    expectSameBytes(await readAll(disk), before, 'the disk')
    expect(await checkStore(store)).toMatchObject(clean)
    await deleteSnapshot(disk, { name: 'first' })
    await applySnapshot(disk, 'second')
    expect(disk.length).toBe(MiB)
    await opened.close()
    expect(await checkStore(store)).toMatchObject(clean)
  })

  test('an L1 table that is none', async () => {
    const { store, opened, disk } = await start({})
    await createSnapshot(disk, { name: 's', ...moment })
    await opened.close()
    const bytes = store.bytes()
    const view = new DataView(bytes.buffer)
    const table = Number(view.getBigUint64(64))
    view.setBigUint64(table, 77n)
    const damaged = await openDisk(new MemoryStore(bytes))
    expect(await failureOf(() => applySnapshot(damaged.disk, 's'))).toBe('EINVAL Snapshot L1 table offset invalid')
    await damaged.close()
    view.setBigUint64(table, 65536n)
    view.setUint32(table + 8, 4194305)
    await using tooLarge = await openDisk(new MemoryStore(bytes))
    expect(await failureOf(() => deleteSnapshot(tooLarge.disk, 's'))).toBe('EFBIG Snapshot L1 table too large')
  })
})

describe.each(snapshotSteps)('$name with failing requests', ({ run }) => {
  test.each([false, true])('for good: %s', async (forGood) => {
    const made = await withOld(small)
    let failures = 0
    for (let index = 0; ; index++) {
      const store = new FaultStore(made.image)
      const opened = await openDisk(store)
      store.arm({ index, forGood, code: 'EIO' })
      await run(opened.disk).catch(() => {
        failures++
      })
      const { hit } = store
      store.disarm()
      await opened.close().catch(() => {})
      await verifySnapshots(store, `request ${index}`, made)
      expect({ index, ...(await checkStore(store)) }).toMatchObject({ index, corruptions: 0, checkErrors: 0 })
      if (!hit) break
    }
    expect(failures).toBeGreaterThan(5)
  })
})

describeWithReference('the reference', () => {
  test.each(layouts)('sees the snapshots that we make, and we see its own: $name', async ({ options }) => {
    using folder = new TemporaryFolder()
    const { store, opened, disk } = await start(options)
    const first = await readAll(disk)
    await createSnapshot(disk, { name: 'ours', ...moment })
    await disk.write(20 * KiB, filled(4, 80 * KiB))
    await opened.close()
    const image = folder.file('image')
    writeFileSync(image, store.bytes())
    expect(qemuImg('check', image)).toMatchObject({ code: 0, err: '' })
    expect(qemuImg('snapshot', '-l', image).out).toContain('ours')
    expect(qemuImg('snapshot', '-c', 'theirs', image).code).toBe(0)
    expect(qemuImg('snapshot', '-a', 'ours', image).code).toBe(0)
    qemuIo(image, 'read -P 1 0 64k', 'read -P 2 500k 100k', 'write -P 6 0 4k')
    expect(qemuImg('check', image)).toMatchObject({ code: 0, err: '' })
    await using back = await openDisk(new MemoryStore(readFileSync(image)))
    expect(names(back)).toEqual(['1 ours', '2 theirs'])
    await applySnapshot(back.disk, 'ours')
    expectSameBytes(await readAll(back.disk), first, 'ours')
    await deleteSnapshot(back.disk, { name: 'theirs' })
    await deleteSnapshot(back.disk, { name: 'ours' })
  })

  test('makes the same bytes of a snapshot, but for the time and the marks', async () => {
    using folder = new TemporaryFolder()
    const image = folder.file('image')
    const { store, opened, disk } = await start({})
    await disk.flush()
    await opened.close()
    writeFileSync(image, store.bytes())
    expect(qemuImg('snapshot', '-c', 's', image).code).toBe(0)
    const theirs = readFileSync(image)
    const at = Number(theirs.readBigUint64BE(64))
    const again = await openDisk(store)
    await createSnapshot(again.disk, {
      name: 's',
      dateSeconds: theirs.readUint32BE(at + 16),
      dateNanoseconds: theirs.readUint32BE(at + 20),
      vmClockNanoseconds: Number(theirs.readBigUint64BE(at + 24)),
      icount: 0n,
    })
    await again.close()
    expectSameBytes(store.bytes(), new Uint8Array(theirs), 'the image')
  })
})

test('after a failed request the next change replaces the table that is in force', async () => {
  const long = 'x'.repeat(2000)
  const first = new MemoryStore(await newImage(96 * KiB, { clusterSize: 512 }))
  const opened = await openDisk(first)
  await opened.disk.write(0, filled(1, 20 * KiB))
  await createSnapshot(opened.disk, { name: 'kept', ...moment })
  await createSnapshot(opened.disk, { name: long, ...moment })
  await opened.close()
  for (const what of ['create', 'delete'] as const) {
    for (let index = 0, hit = true; hit; index++) {
      const store = new FaultStore(first.bytes())
      const again = await openDisk(store)
      store.arm({ index, forGood: false, code: 'EIO' })
      const change =
        what === 'delete'
          ? deleteSnapshot(again.disk, { name: long })
          : createSnapshot(again.disk, { name: `${long}2`, ...moment })
      await change.catch(() => {})
      hit = store.hit
      store.disarm()
      await again.disk.write(40 * KiB, filled(4, 8 * KiB))
      await createSnapshot(again.disk, { name: 'next', ...moment })
      const inMemory = names(again)
      await again.close()
      expect({ what, index, ...(await checkStore(store)) }).toMatchObject({
        what,
        index,
        corruptions: 0,
        checkErrors: 0,
      })
      await using last = await openDisk(store, { readOnly: true })
      expect(names(last)).toEqual(inMemory)
      await showSnapshot(last.disk, 'kept')
      expect((await readAll(last.disk))[19 * KiB]).toBe(1)
    }
  }
})

test.each([2 ** 52, 2 ** 62])('a snapshot of %i bytes, for which no L1 table is long enough', async (size) => {
  const { store, opened, disk } = await start({})
  await createSnapshot(disk, { name: 's', ...moment })
  await opened.close()
  const bytes = store.bytes()
  const view = new DataView(bytes.buffer)
  view.setBigUint64(Number(view.getBigUint64(64)) + 48, BigInt(size))
  await using damaged = await openDisk(new MemoryStore(bytes))
  const failure = 'EFBIG Failed to grow the L1 table: File too large'
  expect(await failureOf(() => applySnapshot(damaged.disk, 's'))).toBe(failure)
})

test('data that no refcount block counts can be kept by a snapshot', async () => {
  const store = new MemoryStore(await newImage(MiB, { clusterSize: 512 }))
  const opened = await openDisk(store)
  await opened.disk.write(0, filled(1, 512))
  await opened.close()
  const bytes = new Uint8Array(0x40200)
  bytes.set(store.bytes())
  const view = new DataView(bytes.buffer)
  const table = Number(view.getBigUint64(Number(view.getBigUint64(40))) & 0x00fffffffffffe00n)
  // Behind what the only refcount block counts; the reference forgets to begin again when it has made another one.
  view.setBigUint64(table, 0x40000n)
  bytes.set(filled(7, 512), 0x40000)
  const damaged = new MemoryStore(bytes)
  const again = await openDisk(damaged)
  await createSnapshot(again.disk, { name: 's', ...moment })
  await again.disk.write(0, filled(8, 512))
  await applySnapshot(again.disk, 's')
  expectSameBytes((await readAll(again.disk)).subarray(0, 512), filled(7, 512), 'what the snapshot keeps')
  await again.close()
  // The count was one too low before, and is so still; what the entry named before the damage is nobody's.
  expect(await checkStore(damaged)).toMatchObject({ corruptions: 1, leaks: 1, checkErrors: 0 })
})
