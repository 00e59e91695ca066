/** Proves that devices are recognised by name, opened through a graph, and read as what they are. */

import fs from 'node:fs'
import { join } from 'node:path'
import { createBlockGraph } from '@blocklayer/block-core'
import { afterAll, describe, expect, test } from 'vitest'
import {
  createFileDriver,
  createHostCdromDriver,
  createHostDeviceDriver,
  hostCdromDriver,
  hostDeviceDriver,
} from '../src/index.ts'
import { attachLoop, failure, openLayer, temporaryFolder, testFlags } from './support.ts'

const folder = temporaryFolder()
const KiB = 1024
const loop = attachLoop(folder, 0x80_0000)
const reason = 'reason' in loop ? loop.reason : ''
if ('device' in loop) afterAll(loop.detach)

test('device nodes are claimed by score, whatever the name looks like', () => {
  const image = join(folder, 'image')
  fs.writeFileSync(image, '')
  fs.symlinkSync('/dev/zero', join(folder, 'a:b'))
  const score = (name: string): (number | undefined)[] =>
    [hostDeviceDriver, hostCdromDriver].map((driver) => driver.probeDevice?.(name))
  expect(score('/dev/zero')).toEqual([100, 0])
  expect(score(join(folder, 'a:b'))).toEqual([100, 0])
  expect(score('/dev/cdrom9')).toEqual([50, 0])
  for (const name of [image, folder, 'missing', 'file:x', `${image}/x`, 'a\0b', '']) expect(score(name)).toEqual([0, 0])
  expect(createHostCdromDriver({ nativeCalls: false }).probeDevice?.('/dev/zero')).toBe(0)
})

test('prefixes go once', () => {
  expect(hostDeviceDriver.parseFilename?.('host_device:/dev/x')).toEqual(new Map([['filename', '/dev/x']]))
  expect(hostDeviceDriver.parseFilename?.('/dev/x')).toEqual(new Map([['filename', '/dev/x']]))
  expect(hostCdromDriver.parseFilename?.('host_cdrom:host_cdrom:x')).toEqual(new Map([['filename', 'host_cdrom:x']]))
})

test('a device says nothing about what it held before, and has no map', async () => {
  const layer = await openLayer({ filename: '/dev/null' }, { kind: 'host_device' })
  expect(await layer.hasZeroInit?.()).toBe(false)
  expect([layer.length, layer.mapping]).toEqual([0, undefined])
  expect(layer.writer?.truncateFlags).toEqual({ zeroNewArea: false })
  await layer.close()
})

test('its length is its own', async () => {
  const layer = await openLayer({ filename: '/dev/null' }, { kind: 'host_device' })
  const truncate = async (length: number, exact: boolean, preallocation: 'off' | 'full' = 'off'): Promise<unknown> =>
    failure(layer.writer?.truncate?.(length, { exact, preallocation, zeroNewArea: false }) ?? Promise.resolve())
  expect(await truncate(512, true)).toMatchObject({ code: 'ENOTSUP', message: 'Cannot resize device files' })
  expect(await truncate(512, false)).toMatchObject({ code: 'EINVAL', message: 'Cannot grow device files' })
  expect(await truncate(512, false, 'full')).toMatchObject({
    message: "Preallocation mode 'full' unsupported for this non-regular file",
  })
  await layer.writer?.truncate?.(0, { exact: true, preallocation: 'off', zeroNewArea: false })
  await layer.writer?.write(0, new Uint8Array(512), { fua: false })
  expect(layer.length).toBe(0)
  await layer.close()
})

describe.skipIf('reason' in loop)(`on a loop device (skipped where there is none: ${reason})`, () => {
  const device = 'device' in loop ? loop.device : ''
  const backing = 'backing' in loop ? loop.backing : ''
  const graphOf = (nativeCalls: boolean) =>
    createBlockGraph({
      drivers: [
        createFileDriver({ nativeCalls }),
        createHostCdromDriver({ nativeCalls }),
        createHostDeviceDriver({ nativeCalls }),
      ],
      implicitOpen: 'deny',
    })

  test.each([
    { direct: false, nativeCalls: true },
    { direct: true, nativeCalls: true },
    { direct: false, nativeCalls: false },
  ])('data, zeroes and discards: %j', async ({ direct, nativeCalls }) => {
    await using graph = graphOf(nativeCalls)
    await using disk = await graph.open(device, { format: 'host_device', cache: { direct }, unmap: true })
    expect(disk.length).toBe(0x80_0000)
    const model = Uint8Array.from({ length: 256 * KiB }, (_, index) => (index * 5 + (index >> 9)) % 256)
    await disk.write(0, model)
    await disk.write(513, new Uint8Array(100).fill(1))
    model.fill(1, 513, 613)
    await disk.writeZeroes(4 * KiB, 4 * KiB, { mayUnmap: true })
    await disk.writeZeroes(16 * KiB, 8 * KiB)
    await disk.writeZeroes(40 * KiB + 7, 600)
    for (const [start, bytes] of [
      [4 * KiB, 4 * KiB],
      [16 * KiB, 8 * KiB],
      [40 * KiB + 7, 600],
    ] as const) {
      model.fill(0, start, start + bytes)
    }
    await disk.flush()
    const into = new Uint8Array(model.length)
    await disk.read(0, into)
    expect(Buffer.compare(into, model)).toBe(0)
    await disk.discard(128 * KiB, 64 * KiB)
    await disk.read(0, into.subarray(0, 128 * KiB))
    expect(Buffer.compare(into.subarray(0, 128 * KiB), model.subarray(0, 128 * KiB))).toBe(0)
    expect((await failure(disk.truncate(0x100_0000))).message).toContain('Cannot')
  })

  test('an empty image on it is an empty first sector', async () => {
    await using graph = graphOf(true)
    fs.writeFileSync(backing, new Uint8Array(4096).fill(9), { flag: 'r+' })
    await graph.create('host_device', device, { size: 0x40_0000 })
    await using disk = await graph.open(device, { format: 'host_device', readOnly: true })
    const into = new Uint8Array(1024)
    await disk.read(0, into)
    expect(into.subarray(0, 512)).toEqual(new Uint8Array(512))
  })

  test('a mode on demand, and a device that became read-only', async () => {
    const layer = await openLayer(
      { filename: device },
      { kind: 'host_device', flags: { ...testFlags, autoReadOnly: true } },
    )
    layer.setPermissions?.({ taken: 2, shared: 15 })
    await layer.writer?.write(0, new Uint8Array(512), { fua: false })
    layer.setPermissions?.({ taken: 1, shared: 15 })
    await layer.close()
  })
})
