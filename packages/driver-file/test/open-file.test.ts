/** Proves that a change of mode or permissions holds as a whole, keeps the locks, and loses no request that is on its way. */

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import type { BlockLayer, OpenFlags, PreparedReopen, ReopenChange } from '@blocklayer/block-core/driver'
import { describe, expect, test } from 'vitest'
import type { FileDriverSettings } from '../src/index.ts'
import { type Libc, loadLibc } from '../src/libc.ts'
import { ImageLock } from '../src/lock.ts'
import { fileMode, OpenFile } from '../src/open-file.ts'
import { failure, libcWith, noDirectIo, openHost, openLayer, temporaryFolder, testFlags } from './support.ts'

const folder = temporaryFolder()
const real = loadLibc().libc as Libc
const onDemand = { ...testFlags, autoReadOnly: true }
const reader = { taken: 1, shared: 15 }
const writer = { taken: 1 + 2, shared: 15 - 8 }
const nothing = { taken: 0, shared: 15 }

let count = 0
function newPath(): string {
  const path = join(folder, `file${count++}`)
  fs.writeFileSync(path, new Uint8Array(65536).fill(7))
  return path
}

/** Access modes and flags of this process's descriptors of the file, in their order. */
function descriptors(path: string): string[] {
  const found: string[] = []
  for (const name of fs.readdirSync('/proc/self/fd')) {
    let target = ''
    try {
      target = fs.readlinkSync(`/proc/self/fd/${name}`)
    } catch (error) {
      // The descriptor of the folder that is being read.
      expect((error as { code?: unknown }).code).toBe('ENOENT')
    }
    if (target !== path) continue
    const flags = Number.parseInt(/flags:\s*(\d+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${name}`, 'latin1'))![1]!, 8)
    const access = (flags & 3) === 0 ? 'ro' : 'rw'
    found.push((flags & fs.constants.O_DIRECT) === 0 ? access : `${access} direct`)
  }
  return found
}

const prepare = (layer: BlockLayer, readOnly: boolean, flags: OpenFlags = testFlags): Promise<PreparedReopen> =>
  layer.prepareReopen!({ readOnly, flags, options: undefined } satisfies ReopenChange)

test('the mode follows from state and flags', () => {
  expect(fileMode(true, onDemand)).toEqual({ readOnly: true, onDemand: false, direct: false })
  expect(fileMode(false, onDemand)).toEqual({ readOnly: false, onDemand: true, direct: false })
  expect(fileMode(false, { ...testFlags, direct: true })).toEqual({ readOnly: false, onDemand: false, direct: true })
})

const variants: FileDriverSettings[] = [{ aio: 'sync' }, { aio: 'threads' }, { nativeCalls: false }]

describe.each(variants)('auto-read-only, %j', (driver) => {
  test('writing is for those who take a permission to write', async () => {
    const path = newPath()
    const layer = await openLayer({ filename: path }, { flags: onDemand, driver })
    expect(descriptors(path)).toEqual(['ro'])
    layer.setPermissions?.(reader)
    expect(descriptors(path)).toEqual(['ro'])
    for (const taken of [2, 4, 8]) {
      layer.setPermissions?.({ taken, shared: 15 })
      expect(descriptors(path)).toEqual(['rw'])
      await layer.writer?.write(0, Uint8Array.of(taken), { fua: false })
      layer.setPermissions?.(reader)
      expect(descriptors(path)).toEqual(['ro'])
    }
    await layer.flushToDisk?.()
    layer.setPermissions?.(nothing)
    await layer.close()
    expect(descriptors(path)).toEqual([])
    expect(fs.readFileSync(path)[0]).toBe(8)
  })

  test('a file that cannot be written refuses the writer, and stays readable', async () => {
    const path = newPath()
    const layer = await openLayer({ filename: path }, { flags: onDemand, driver })
    layer.setPermissions?.(reader)
    fs.renameSync(path, `${path}.away`)
    expect(() => layer.setPermissions?.(writer)).toThrow(`Could not open '${path}': No such file or directory`)
    fs.renameSync(`${path}.away`, path)
    layer.setPermissions?.(writer)
    // The last writer leaves while the name leads nowhere: the descriptor is kept, since leaving cannot fail.
    fs.renameSync(path, `${path}.away`)
    layer.setPermissions?.(reader)
    const into = new Uint8Array(1)
    await layer.read(0, into)
    expect(into[0]).toBe(7)
    await layer.close()
  })
})

test('requests that are on their way keep the old descriptor', async () => {
  const path = newPath()
  const layer = await openLayer({ filename: path }, { flags: onDemand })
  layer.setPermissions?.(writer)
  const work = Array.from({ length: 20 }, (_, index) =>
    layer.writer!.write(index * 512, new Uint8Array(512).fill(index), { fua: false }),
  )
  const flush = layer.flushToDisk?.()
  layer.setPermissions?.(reader)
  expect(descriptors(path).sort()).toEqual(['ro', 'rw'])
  await Promise.all([...work, flush])
  expect(descriptors(path)).toEqual(['ro'])
  expect(fs.readFileSync(path)[19 * 512]).toBe(19)
  await layer.close()
})

test('a lock that is refused leaves the descriptor and the old locks', async () => {
  const path = newPath()
  const layer = await openLayer({ filename: path }, { flags: onDemand })
  const other = await openLayer({ filename: path }, { readOnly: true })
  layer.setPermissions?.(reader)
  other.setPermissions?.({ taken: 1, shared: 15 - 2 })
  expect(() => layer.setPermissions?.(writer)).toThrow('Failed to get "write" lock')
  expect(descriptors(path)).toEqual(['ro', 'ro'])
  expect(() => other.setPermissions?.({ taken: 1, shared: 0 })).toThrow('Failed to get shared "consistent read" lock')
  other.setPermissions?.(nothing)
  layer.setPermissions?.(writer)
  expect(() => other.setPermissions?.({ taken: 1, shared: 15 - 2 })).toThrow('Failed to get shared "write" lock')
  layer.setPermissions?.(reader)
  other.setPermissions?.({ taken: 1, shared: 15 - 2 })
  await layer.close()
  await other.close()
})

describe('reopening', () => {
  test('takes effect at commit, and an abort leaves nothing behind', async () => {
    const path = newPath()
    const layer = await openLayer({ filename: path }, { readOnly: true })
    const other = await openLayer({ filename: path }, { readOnly: true })
    layer.setPermissions?.({ taken: 1, shared: 15 - 2 })
    await (await prepare(layer, false)).abort()
    expect(descriptors(path)).toEqual(['ro', 'ro'])
    const prepared = await prepare(layer, false)
    // What the graph does between the two.
    layer.setPermissions?.(writer)
    await prepared.commit()
    expect(descriptors(path).sort()).toEqual(['ro', 'rw'])
    await layer.writer?.write(0, Uint8Array.of(1), { fua: false })
    other.setPermissions?.({ taken: 2, shared: 15 })
    expect(() => other.setPermissions?.({ taken: 8, shared: 15 })).toThrow('Failed to get "resize" lock')
    expect(() => other.setPermissions?.({ taken: 0, shared: 15 - 2 })).toThrow('Failed to get shared "write" lock')
    await layer.close()
    await other.close()
  })

  test('what stays the same needs no other descriptor', async () => {
    const path = newPath()
    const layer = await openLayer({ filename: path })
    const prepared = await prepare(layer, false, { ...testFlags, noFlush: true })
    expect(descriptors(path)).toEqual(['rw'])
    await prepared.commit()
    await (await prepare(layer, false)).abort()
    await layer.close()
  })

  test('on demand from now on, and no more', async () => {
    const path = newPath()
    const layer = await openLayer({ filename: path })
    await (await prepare(layer, false, onDemand)).commit()
    expect(descriptors(path)).toEqual(['ro'])
    layer.setPermissions?.(writer)
    await (await prepare(layer, false, testFlags)).commit()
    layer.setPermissions?.(reader)
    expect(descriptors(path)).toEqual(['rw'])
    await (await prepare(layer, true, onDemand)).commit()
    expect(descriptors(path)).toEqual(['ro'])
    // From read-only, the writer comes between the two steps.
    const prepared = await prepare(layer, false, onDemand)
    layer.setPermissions?.(writer)
    await prepared.commit()
    expect(descriptors(path)).toEqual(['rw'])
    await layer.close()
  })

  test.skipIf(noDirectIo)('direct I/O comes and goes (skipped where the file system has none)', async () => {
    const path = newPath()
    const layer = await openLayer({ filename: path })
    expect(layer.limits).toEqual({ requestAlignment: 1 })
    await (await prepare(layer, false, { ...testFlags, direct: true })).commit()
    expect(layer.limits?.requestAlignment).toBeGreaterThanOrEqual(512)
    expect(descriptors(path)).toEqual(['rw direct'])
    // A length that direct writes could not make, and blocks for all of it.
    await layer.writer?.truncate?.(100_001, { preallocation: 'full', exact: true, zeroNewArea: false })
    expect([layer.length, fs.statSync(path).size, fs.readFileSync(path)[100_000]]).toEqual([100_001, 100_001, 0])
    expect(descriptors(path)).toEqual(['rw direct'])
    await (await prepare(layer, true)).commit()
    expect(descriptors(path)).toEqual(['ro'])
    await layer.close()
  })

  test('a file system without direct I/O, or a name that leads elsewhere, refuses', async () => {
    const device = await openLayer({ filename: '/dev/zero' }, { kind: 'host_device' })
    expect(await failure(prepare(device, false, { ...testFlags, direct: true }))).toMatchObject({
      message: "Could not open '/dev/zero': filesystem does not support O_DIRECT",
    })
    await device.close()
    const path = newPath()
    const layer = await openLayer({ filename: path })
    execFileSync('mv', [path, `${path}.away`])
    fs.writeFileSync(path, '')
    expect((await failure(prepare(layer, true))).message).toBe(`Could not open '${path}': Stale file handle`)
    expect(descriptors(path)).toEqual([])
    await layer.close()
  })

  // Committing must not fail: other nodes have changed already.
  test('locks that do not move stay, and still count', async () => {
    const path = newPath()
    const file = await openHost(path, { readOnly: true, synchronous: true })
    const stubborn = libcWith({
      fcntl: (fd, command, record) => (fd !== file.fd && command === 37 ? -37 : real.fcntl(fd, command, record)),
    })
    const lock = new ImageLock(stubborn, file.fd, path)
    const mode = fileMode(true, testFlags)
    const open = new OpenFile({ filename: path, kind: 'file', mode, file, libc: stubborn, lock })
    open.setPermissions({ taken: 1, shared: 15 - 2 })
    await (await open.prepare(fileMode(false, testFlags))).commit()
    expect(descriptors(path).sort()).toEqual(['ro', 'rw'])
    const other = await openLayer({ filename: path })
    expect(() => other.setPermissions?.(writer)).toThrow('Failed to get "write" lock')
    await (await open.prepare(fileMode(true, testFlags))).commit()
    expect(() => other.setPermissions?.(writer)).toThrow('Failed to get "write" lock')
    await open.close()
    expect(descriptors(path)).toEqual(['rw'])
    other.setPermissions?.(writer)
    await other.close()
  })

  test('an on-demand descriptor whose locks do not move refuses its writer', async () => {
    const path = newPath()
    const file = await openHost(path, { readOnly: true, synchronous: true })
    const stubborn = libcWith({
      fcntl: (fd, command, record) => (fd !== file.fd && command === 37 ? -37 : real.fcntl(fd, command, record)),
    })
    const lock = new ImageLock(stubborn, file.fd, path)
    const mode = fileMode(false, onDemand)
    const open = new OpenFile({ filename: path, kind: 'file', mode, file, libc: stubborn, lock })
    open.setPermissions(reader)
    expect(() => open.setPermissions(writer)).toThrow('Failed to lock byte 100')
    expect(descriptors(path)).toEqual(['ro'])
    await open.close()
  })
})
