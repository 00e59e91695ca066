/** Proves how options and settings become an open file: locking modes, checks before opening, and warnings. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { file, fileDriver } from '../src/index.ts'
import { failure, openLayer, temporaryFolder } from './support.ts'

const filename = join(temporaryFolder(), 'image')
writeFileSync(filename, new Uint8Array(1000))
const exclusive = { taken: 15, shared: 0 }

test('the driver has the reference names, and strips its prefix', () => {
  expect(fileDriver).toMatchObject({ formatName: 'file', protocolName: 'file', kind: 'protocol', needsFilename: true })
  expect(fileDriver.parseFilename?.('file:a:b')).toEqual(new Map([['filename', './a:b']]))
  expect(file('x', { aio: 'sync' })).toMatchObject({ driver: fileDriver, options: { filename: 'x', aio: 'sync' } })
})

test('options are checked before anything is opened', async () => {
  expect((await failure(openLayer({ filename: 'missing', aio: 'native' }))).message).toContain('aio=native')
  expect(await failure(openLayer({ filename: 'missing', prManager: 'x' }))).toMatchObject({ code: 'ENODEV' })
  const direct = await openLayer({ filename, aio: 'native' }, { flags: { direct: true } })
  expect(direct.length).toBe(1000)
  await direct.close()
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

test('without locks "on" fails, and "auto" says once what is lost', async () => {
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
  expect(warnings).toEqual(['Image locks are unavailable (switched off): other programs are not kept from the images'])
})
