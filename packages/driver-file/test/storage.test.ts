/** Proves what opens as what, in the reference's words, and how long things are. */

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Libc, loadLibc } from '../src/libc.ts'
import { openAgainNow, openStorage, type StorageKind, type StorageMode, storageLength } from '../src/storage.ts'
import { failure, libcWith, temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const libc = loadLibc().libc as Libc
const path = (name: string): string => join(folder, name)
const mode = (kind: StorageKind, more: Partial<StorageMode> = {}): StorageMode => ({
  kind,
  readOnly: true,
  synchronous: true,
  direct: false,
  ...more,
})
fs.writeFileSync(path('image'), new Uint8Array(1000))

test('regular files are for one driver, devices for the others', async () => {
  execFileSync('mkfifo', [path('fifo')])
  const refused = async (name: string, kind: StorageKind): Promise<unknown> =>
    (await failure(openStorage(name, mode(kind), libc))).message
  for (const name of [folder, path('fifo'), '/dev/zero']) {
    expect(await refused(name, 'file')).toBe(`'file' driver requires '${name}' to be a regular file`)
  }
  for (const kind of ['host_device', 'host_cdrom'] as const) {
    for (const name of [folder, path('fifo'), path('image')]) {
      expect(await refused(name, kind)).toBe(
        `'${kind}' driver requires '${name}' to be either a character or block device`,
      )
    }
    expect(await refused(path('missing'), kind)).toBe(`Could not open '${path('missing')}': No such file or directory`)
    const device = await openStorage('/dev/zero', mode(kind, { readOnly: false }), libc)
    expect(storageLength(kind, device, libc)).toBe(0)
    await device.close()
  }
})

test.each([true, false])('without O_DIRECT there are words for it (synchronous: %s)', async (synchronous) => {
  const opening = openStorage('/dev/zero', mode('host_device', { direct: true, synchronous }), libc)
  expect(await failure(opening)).toMatchObject({
    code: 'EINVAL',
    message: "Could not open '/dev/zero': filesystem does not support O_DIRECT",
  })
  const missing = openStorage(path('missing'), mode('file', { direct: true, synchronous }), libc)
  expect(await failure(missing)).toMatchObject({ code: 'ENOENT' })
  // Nobody could tell where a buffer lies.
  const plain = await openStorage(path('image'), mode('file', { direct: true, synchronous }), undefined)
  expect([plain.direct, plain.alignment]).toEqual([undefined, 1])
  await plain.close()
})

test('a device that refuses writes is not opened for them', async () => {
  const locked = libcWith({ ioctl: (_fd, _request, argument) => (argument[0] = 1) })
  expect(await failure(openStorage('/dev/zero', mode('host_device', { readOnly: false }), locked))).toMatchObject({
    code: 'EACCES',
    message: 'The device is not writable: Permission denied',
  })
  await (await openStorage('/dev/zero', mode('host_device'), locked)).close()
})

test('the length is where the end is', async () => {
  const file = await openStorage(path('image'), mode('file'), libc)
  expect([storageLength('file', file, libc), storageLength('file', file, undefined)]).toEqual([1000, 1000])
  fs.truncateSync(path('image'), 2000)
  expect(storageLength('file', file, libc)).toBe(2000)
  fs.truncateSync(path('image'), 1000)
  await file.close()
  expect(() => storageLength('file', file, libc)).toThrow('Could not refresh total sector count: Bad file descriptor')
  expect(() => storageLength('file', file, undefined)).toThrow('Bad file descriptor')
})

// The kernel makes such a file up as it is read: it has no end to ask for.
test.skipIf(process.platform !== 'linux')('a file without an end is refused', async () => {
  const version = await openStorage('/proc/version', mode('file'), libc)
  expect(() => storageLength('file', version, libc)).toThrow('Could not refresh total sector count: Invalid argument')
  await version.close()
})

test('opening again gives the same file or fails', async () => {
  const name = path('again')
  fs.writeFileSync(name, 'x')
  const file = await openStorage(name, mode('file'), libc)
  const writable = openAgainNow(name, mode('file', { readOnly: false }), file, libc)
  await writable.write(0, Uint8Array.of(1))
  await writable.close()
  fs.renameSync(name, path('moved'))
  const again = (): unknown => openAgainNow(name, mode('file'), file, libc)
  expect(again).toThrow(`Could not open '${name}': No such file or directory`)
  fs.writeFileSync(name, 'somebody else')
  expect(again).toThrow(`Could not open '${name}': Stale file handle`)
  await file.close()
  expect(() => openAgainNow('a\0b', mode('file'), file, libc)).toThrow("Could not open 'a\0b': Invalid argument")
})
