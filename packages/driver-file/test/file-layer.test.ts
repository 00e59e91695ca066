/** Proves the node's behaviour over real files: data, zeroes, discards, lengths, status, flushes and reopening. */

import { chmodSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BlockLayer } from '@blocklayer/block-core/driver'
import { describe, expect, test } from 'vitest'
import { FileLayer } from '../src/file-layer.ts'
import { HostFile } from '../src/host-file.ts'
import type { FileDriverSettings } from '../src/index.ts'
import { fileMode, OpenFile } from '../src/open-file.ts'
import { failure, openHost, openLayer, testFlags, temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const MiB = 0x10_0000
const keepBlocks = { mayUnmap: false, noFallback: false, fua: false }
const giveBlocks = { mayUnmap: true, noFallback: true, fua: false }
const resizeOptions = { preallocation: 'off', exact: true, zeroNewArea: false } as const

let count = 0
function newPath(content = new Uint8Array(MiB).fill(0xaa)): string {
  const path = join(folder, `file${count++}`)
  writeFileSync(path, content)
  return path
}

async function bytesOf(layer: BlockLayer, offset: number, bytes: number): Promise<Uint8Array> {
  const into = new Uint8Array(bytes).fill(0xee)
  await layer.read(offset, into)
  return into
}

const variants: FileDriverSettings[] = [{ aio: 'sync' }, { aio: 'threads' }, { nativeCalls: false }]

describe.each(variants)('%j', (driver) => {
  test('writing past the end makes the file longer', async () => {
    const path = newPath(new Uint8Array(1000).fill(1))
    const layer = await openLayer({ filename: path }, { driver })
    expect(layer.length).toBe(1000)
    await layer.writer?.write(1024, new Uint8Array(512).fill(2), { fua: false })
    expect(layer.length).toBe(1536)
    expect(await bytesOf(layer, 990, 40)).toEqual(
      Uint8Array.from([...Array(10).fill(1), ...Array(24).fill(0), ...Array(6).fill(2)]),
    )
    expect(await bytesOf(layer, 1530, 10)).toEqual(Uint8Array.from([2, 2, 2, 2, 2, 2, 0, 0, 0, 0]))
    await layer.flushToDisk?.()
    await layer.close()
    expect(statSync(path).size).toBe(1536)
  })

  test('the length can be set both ways', async () => {
    const path = newPath()
    const layer = await openLayer({ filename: path }, { driver })
    await layer.writer?.truncate?.(100, resizeOptions)
    await layer.writer?.truncate?.(200, { ...resizeOptions, zeroNewArea: true })
    expect(await bytesOf(layer, 99, 3)).toEqual(Uint8Array.from([0xaa, 0, 0]))
    // Not exact: at least that long is enough.
    await layer.writer?.truncate?.(50, { ...resizeOptions, exact: false })
    expect([layer.length, statSync(path).size]).toEqual([200, 200])
    await layer.writer?.truncate?.(MiB, { ...resizeOptions, preallocation: 'falloc', exact: false })
    expect(await layer.allocatedBytes?.()).toBeGreaterThanOrEqual(MiB)
    expect(await layer.hasZeroInit?.()).toBe(true)
    await layer.close()
    expect(await failure(layer.allocatedBytes?.() ?? Promise.resolve())).toMatchObject({ code: 'EBADF' })
  })
})

describe('with native calls', () => {
  test('zeroes that may unmap become a hole, others keep their blocks', async () => {
    const path = newPath()
    const layer = await openLayer({ filename: path })
    const { writer } = layer
    expect(writer?.zeroFlags).toEqual({ mayUnmap: true, noFallback: true })
    await writer?.writeZeroes?.(0, 65536, keepBlocks)
    const kept = statSync(path).blocks
    expect(await bytesOf(layer, 0, 65536)).toEqual(new Uint8Array(65536))
    await writer?.writeZeroes?.(65536, 65536, giveBlocks)
    expect(statSync(path).blocks).toBe(kept - 128)
    await writer?.discard?.(131072, 65536)
    expect(statSync(path).blocks).toBe(kept - 256)
    expect(await bytesOf(layer, 65536, 131073)).toEqual(Uint8Array.from([...new Uint8Array(131072), 0xaa]))
    await layer.close()
  })

  test('zeroes past the end make the file longer, holes included', async () => {
    const path = newPath()
    const layer = await openLayer({ filename: path })
    await layer.writer?.writeZeroes?.(MiB - 4096, 8192, giveBlocks)
    await layer.writer?.writeZeroes?.(2 * MiB, 4096, keepBlocks)
    expect([layer.length, statSync(path).size]).toEqual([2 * MiB + 4096, 2 * MiB + 4096])
    expect(await bytesOf(layer, MiB - 4096, 8192)).toEqual(new Uint8Array(8192))
    await layer.close()
  })

  test('status tells data from holes, and is coarse where only allocation matters', async () => {
    const layer = await openLayer({ filename: newPath() })
    await layer.writer?.discard?.(65536, 65536)
    expect(await layer.mapping?.blockStatus(0, MiB, true)).toMatchObject({ bytes: 65536, data: true })
    expect(await layer.mapping?.blockStatus(65536, MiB - 65536, true)).toMatchObject({ bytes: 65536, zero: true })
    expect(await layer.mapping?.blockStatus(0, MiB, false)).toEqual({
      bytes: MiB,
      data: true,
      zero: false,
      hostOffset: 0,
    })
    await layer.close()
  })

  test('a failure that is not "cannot" is not hidden behind a fallback', async () => {
    const layer = await openLayer({ filename: newPath() }, { readOnly: true })
    const refused = layer.writer?.writeZeroes?.(0, 4096, giveBlocks) ?? Promise.resolve()
    expect(await failure(refused)).toMatchObject({ code: 'EBADF' })
    await layer.close()
  })
})

test('without native calls zeroes and discards are absent, and all is data', async () => {
  const layer = await openLayer({ filename: newPath() }, { driver: { nativeCalls: false } })
  expect(layer.writer).not.toHaveProperty('writeZeroes')
  expect(layer.writer).not.toHaveProperty('discard')
  expect(await layer.mapping?.blockStatus(0, MiB, true)).toMatchObject({ bytes: MiB, data: true })
  await layer.close()
})

class UnflushableFile extends HostFile {
  flushes = 0
  override datasync(): Promise<void> {
    this.flushes++
    return Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 }))
  }
}

// The kernel reports lost pages once and then calls them clean; believing the second flush would lose data.
test('after a failed flush all flushes fail', async () => {
  const filename = newPath()
  const { fd } = await openHost(filename, { readOnly: false, synchronous: true })
  const file = new UnflushableFile(fd, true)
  const parts = { filename, kind: 'file', file, libc: undefined, lock: undefined } as const
  const open = new OpenFile({ ...parts, mode: fileMode(false, testFlags) })
  const layer = new FileLayer({ kind: 'file', open, flags: testFlags, length: MiB, libc: undefined })
  for (let i = 0; i < 3; i++) expect(await failure(layer.flushToDisk())).toMatchObject({ code: 'EIO' })
  expect(file.flushes).toBe(1)
  await layer.close()
})

describe('reopen', () => {
  test('switches the mode and keeps the locks', async () => {
    const filename = newPath()
    const layer = await openLayer({ filename }, { readOnly: true })
    const other = await openLayer({ filename }, { readOnly: true })
    layer.setPermissions?.({ taken: 1, shared: 15 - 2 })
    await layer.reopen?.({ readOnly: false })
    await layer.writer?.write(0, Uint8Array.of(1), { fua: false })
    expect(() => other.setPermissions?.({ taken: 2, shared: 15 })).toThrow('Failed to get "write" lock')
    await layer.reopen?.({ readOnly: true })
    expect(await failure(layer.writer?.write(0, Uint8Array.of(1), { fua: false }) ?? Promise.resolve())).toMatchObject({
      code: 'EBADF',
    })
    expect(() => other.setPermissions?.({ taken: 2, shared: 15 })).toThrow('Failed to get "write" lock')
    await layer.close()
    other.setPermissions?.({ taken: 2, shared: 15 })
    await other.close()
  })

  test('fails with the reason, and the old mode still works', async () => {
    const filename = newPath()
    const layer = await openLayer({ filename }, { readOnly: true })
    renameSync(filename, `${filename}.away`)
    expect((await failure(layer.reopen?.({ readOnly: false }) ?? Promise.resolve())).message).toBe(
      `Could not open '${filename}': No such file or directory`,
    )
    writeFileSync(filename, 'somebody else')
    expect((await failure(layer.reopen?.({ readOnly: false }) ?? Promise.resolve())).message).toBe(
      `Could not open '${filename}': Stale file handle`,
    )
    expect(await bytesOf(layer, 0, 1)).toEqual(Uint8Array.of(0xaa))
    await layer.close()
  })

  test.skipIf(process.getuid?.() === 0)('a file without write permission stays read-only (not as root)', async () => {
    const filename = newPath()
    chmodSync(filename, 0o444)
    const layer = await openLayer({ filename }, { readOnly: true })
    expect((await failure(layer.reopen?.({ readOnly: false }) ?? Promise.resolve())).message).toBe(
      `Could not open '${filename}': Permission denied`,
    )
    await layer.close()
  })
})
