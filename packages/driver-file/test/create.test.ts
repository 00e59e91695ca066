/** Proves that creating replaces a file safely, takes the reference's locks first, and cleans up by name. */

import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { removeFile } from '../src/create.ts'
import { createImage, failure, openLayer, temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const path = (name: string): string => join(folder, name)
const MiB = 0x10_0000

describe.each([{ aio: 'sync' }, { aio: 'threads' }] as const)('$aio', (settings) => {
  test('a new file has its size and its first block', async () => {
    const name = path(`new-${settings.aio}`)
    await createImage(name, 10 * MiB, {}, settings)
    expect(statSync(name)).toMatchObject({ size: 10 * MiB, blocks: 8 })
    expect(statSync(name).mode & 0o777).toBe(0o644 & ~process.umask())
  })

  test('an old file is emptied, and keeps nothing', async () => {
    const name = path(`old-${settings.aio}`)
    writeFileSync(name, new Uint8Array(MiB).fill(1))
    await createImage(`file:${name}`, 100, { preallocation: 'off', nocow: true, extentSizeHint: 0 }, settings)
    expect(new Uint8Array(readFileSync(name))).toEqual(new Uint8Array(100))
  })

  test('preallocation gives it all its blocks', async () => {
    const name = path(`full-${settings.aio}`)
    await createImage(name, MiB, { preallocation: 'full' }, settings)
    expect(statSync(name).blocks).toBeGreaterThanOrEqual(2048)
  })
})

test('what cannot be created is refused with the reference words', async () => {
  mkdirSync(path('folder'))
  symlinkSync(path('loop'), path('loop'))
  expect((await failure(createImage(path('folder'), 1))).message).toBe(
    `Could not create '${path('folder')}': Is a directory`,
  )
  expect((await failure(createImage(path('missing/x'), 1))).message).toBe(
    `Could not create '${path('missing/x')}': No such file or directory`,
  )
  expect(await failure(createImage(path('loop'), 1))).toMatchObject({ code: 'ELOOP' })
  expect((await failure(createImage('/dev/null', 1))).message).toBe('Cannot grow device files')
  expect(await failure(createImage(path('huge'), 2n ** 60n))).toMatchObject({
    code: 'EFBIG',
    message: 'Could not resize file: File too large',
  })
  expect((await failure(createImage(path('huge'), 2n ** 63n))).message).toBe('Could not resize file: Invalid argument')
  expect((await failure(createImage(path('m'), MiB, { preallocation: 'metadata' }))).message).toBe(
    'Unsupported preallocation mode: metadata',
  )
})

test('a file that could not be made is gone, one that was there stays', async () => {
  const [made, old] = [path('half'), path('whole')]
  writeFileSync(old, 'x')
  for (const name of [made, old]) {
    expect((await failure(createImage(name, MiB, { preallocation: 'metadata' }))).message).toContain('Unsupported')
  }
  expect([existsSync(made), existsSync(old)]).toEqual([false, true])
})

// An image that another program uses must survive somebody's attempt to create over it.
test('a file in use is not touched', async () => {
  const name = path('used')
  writeFileSync(name, 'precious')
  const user = await openLayer({ filename: name })
  user.setPermissions?.({ taken: 1, shared: 15 - 2 })
  expect(await failure(createImage(name, MiB))).toEqual({
    code: 'EAGAIN',
    message: 'Failed to get "write" lock',
    hint: `Is another process using the image [${name}]?`,
  })
  expect(readFileSync(name, 'utf8')).toBe('precious')
  user.setPermissions?.({ taken: 1 + 8, shared: 15 })
  expect((await failure(createImage(name, MiB))).message).toBe('Failed to get shared "resize" lock')
  await user.close()
  await createImage(name, MiB)
})

test('without native calls nothing is locked, and the file is made', async () => {
  await createImage(path('plain'), MiB, { preallocation: 'falloc' }, { nativeCalls: false })
  expect(statSync(path('plain')).blocks).toBeGreaterThanOrEqual(2048)
})

test('a file is removed by name', async () => {
  await createImage(path('gone'), 1)
  await removeFile(`file:${path('gone')}`)
  expect(existsSync(path('gone'))).toBe(false)
  expect((await failure(removeFile(path('gone')))).message).toBe(
    `Could not remove '${path('gone')}': No such file or directory`,
  )
})
