/** Proves opening: the order of errors, names, rules from files, and what the node is called afterwards. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FlatOptions } from '@blocklayer/block-core'
import { MemoryStore, memory } from '@blocklayer/block-core/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { blkdebug, blkdebugDriver } from '../src/index.ts'
import { newGraph, openDebugged, outcome, rule } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'blocklayer-blkdebug-'))
afterAll(() => rmSync(folder, { recursive: true }))

function configFile(text: string): string {
  const path = join(folder, `${Math.random()}.conf`)
  writeFileSync(path, text)
  return path
}

test('the driver has the reference names', () => {
  expect(blkdebugDriver).toMatchObject({ formatName: 'blkdebug', protocolName: 'blkdebug', kind: 'filter' })
})

test('rules of the file come before those of the options', async () => {
  const config = configFile('[inject-error]\nevent = "none"\niotype = "read"\nerrno = "28"\n')
  const { disk } = await openDebugged({ config, injectError: [rule({ event: 'none', errno: 1 })] })
  expect(await outcome(disk.read(0, new Uint8Array(1)))).toBe('ENOSPC')
  expect(await outcome(disk.write(0, new Uint8Array(1)))).toBe('EPERM')
})

describe('which error wins', () => {
  const message = async (options: Parameters<typeof blkdebug>[0]): Promise<string> => {
    const error = await newGraph()
      .open(blkdebug(options))
      .catch((reason: unknown) => reason)
    return (error as Error).message
  }
  const badRule = [rule({ event: 'x' })]
  const image = memory(new MemoryStore(512))

  test('file, then options, then permissions, then the image, then limits', async () => {
    const config = configFile('[foo]\n')
    const all = { injectError: badRule, takeChildPerms: ['foo'], unshareChildPerms: ['bar'], align: 3 }
    expect(await message({ ...all, config })).toBe("There is no option group 'foo'")
    expect(await message(all)).toBe('invalid parameter value: x')
    const { injectError, ...afterRules } = all
    expect(await message(afterRules)).toBe("Parameter 'null' does not accept value 'foo'")
    const { takeChildPerms, ...afterTaking } = afterRules
    expect(await message(afterTaking)).toBe("Parameter 'null' does not accept value 'bar'")
    expect(await message({ align: 3 })).toBe('A block device must be specified for "image"')
    expect(await message({ align: 3, image, xImage: 'x' })).toBe(
      "Can't specify 'file' and 'filename' options at the same time",
    )
    expect(await message({ align: 3, image })).toBe('Cannot meet constraints with align 3')
  })

  test('the file must be readable', async () => {
    const missing = join(folder, 'missing')
    expect(await message({ config: missing, image })).toBe(
      'Could not read blkdebug config file: No such file or directory',
    )
    expect(await message({ config: '', image })).toBe('Could not read blkdebug config file: No such file or directory')
    expect(await message({ config: folder, image })).toBe('Cannot read config file: Is a directory')
    expect(await message({ config: `${folder}\0`, image })).toContain('null bytes')
  })
})

describe('as text', () => {
  const open = async (options: Record<string, string>): Promise<unknown> => {
    const graph = newGraph()
    await graph.open({ ...memory(new MemoryStore(512)), nodeName: 'image' })
    return graph.open(new Map(Object.entries({ driver: 'blkdebug', ...options })) as FlatOptions)
  }

  test.each([
    [{ 'inject-error.0.event': 'none', 'inject-error.2.event': 'none' }, "Unused option '2.event' for [inject-error]"],
    [{ 'inject-error.bogus': '1' }, "Unused option 'bogus' for [inject-error]"],
    [
      { 'inject-error.0.event': 'none', 'inject-error.0.bogus': '1' },
      "[inject-error] section doesn't support the option 'bogus'",
    ],
    [{ 'inject-error.0': '5' }, '[inject-error] section (index 0) does not consist of keys'],
    [{ 'inject-error': '5' }, "Block protocol 'blkdebug' doesn't support the option 'inject-error'"],
    [{ bogus: '1' }, "Block protocol 'blkdebug' doesn't support the option 'bogus'"],
  ])('%j', async (options, expected) => {
    await expect(open({ image: 'image', ...options })).rejects.toMatchObject({ message: expected })
  })

  test('a name needs two colons', async () => {
    await expect(newGraph().open('blkdebug:x')).rejects.toMatchObject({
      message: 'blkdebug requires both config file and image path',
    })
  })
})
