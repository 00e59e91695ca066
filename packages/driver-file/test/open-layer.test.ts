/** Proves how options and settings become an open file: checks before opening, locking modes, and warnings. */

import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { failure, noDirectIo, openLayer, temporaryFolder, testFlags } from './support.ts'

const filename = join(temporaryFolder(), 'image')
fs.writeFileSync(filename, new Uint8Array(1000))
const exclusive = { taken: 15, shared: 0 }
const direct = { ...testFlags, direct: true }

test('options are checked before anything is opened', async () => {
  expect((await failure(openLayer({ filename: 'missing', aio: 'native' }))).message).toContain('aio=native')
  expect(await failure(openLayer({ filename: 'missing', prManager: 'x' }))).toMatchObject({ code: 'ENODEV' })
})

test.skipIf(noDirectIo)('direct I/O asks for aligned requests (skipped where the file system has none)', async () => {
  for (const aio of ['native', 'threads', 'sync', 'io_uring'] as const) {
    const layer = await openLayer({ filename, aio }, { flags: direct })
    expect(layer.length).toBe(1000)
    expect(layer.limits?.requestAlignment).toBeGreaterThanOrEqual(512)
    await layer.close()
  }
})

test('two nodes of one file keep each other out, unless locking is off', async () => {
  const first = await openLayer({ filename, locking: 'on' })
  const second = await openLayer({ filename })
  const unlocked = await openLayer({ filename, locking: 'off' })
  first.setPermissions?.(exclusive)
  expect(() => second.setPermissions?.(exclusive)).toThrow('Failed to get "consistent read" lock')
  unlocked.setPermissions?.(exclusive)
  await first.close()
  second.setPermissions?.(exclusive)
  await second.close()
  await unlocked.close()
})

test('without native calls "locking=on" fails, and the rest says once what is lost', async () => {
  const warnings: string[] = []
  const setting = { driver: { nativeCalls: false }, warnings }
  expect((await failure(openLayer({ filename, locking: 'on' }, setting))).message).toBe(
    'File lock requested but image locks are unavailable: switched off',
  )
  for (const readOnly of [true, false, false]) {
    const layer = await openLayer({ filename }, { ...setting, readOnly })
    layer.setPermissions?.(exclusive)
    await layer.close()
  }
  for (const readOnly of [true, false]) {
    const layer = await openLayer({ filename }, { ...setting, readOnly, flags: direct })
    expect(layer.limits).toEqual({ requestAlignment: 1 })
    await layer.close()
  }
  expect(warnings).toEqual([
    'Image locks are unavailable (switched off): other programs are not kept from the images',
    'cache.direct=on is without effect (switched off): images go through the page cache',
  ])
})

test('a file that fails to open is not left open', async () => {
  const before = fs.readdirSync('/proc/self/fd').length
  await failure(openLayer({ filename: '/proc/version' }, { readOnly: true }))
  await failure(openLayer({ filename }, { kind: 'host_device' }))
  expect(fs.readdirSync('/proc/self/fd')).toHaveLength(before)
})
