/** Proves what "creating" on something that is there already checks, and that its head is empty afterwards. */

import fs from 'node:fs'
import { join } from 'node:path'
import type { CreateContext } from '@blocklayer/block-core/driver'
import { afterAll, expect, test } from 'vitest'
import { createOnDevice } from '../src/create-on-device.ts'
import { type Libc, loadLibc } from '../src/libc.ts'
import { attachLoop, failure, libcWith, temporaryFolder } from './support.ts'

const folder = temporaryFolder()
const libc = loadLibc().libc as Libc
const loop = attachLoop(folder, 0x10_0000)
const reason = 'reason' in loop ? loop.reason : ''
if ('device' in loop) afterAll(loop.detach)

function create(filename: string, size: number, options = {}, calls: Libc | undefined = libc): Promise<void> {
  const context = { filename, size: BigInt(size) } as CreateContext
  return createOnDevice(context, options, { kind: 'host_device', libc: calls, synchronous: false })
}

test('refused with the reference words', async () => {
  const image = join(folder, 'image')
  fs.writeFileSync(image, '')
  const words = "Protocol driver 'host_device' does not support image creation, and opening the image failed: "
  expect((await failure(create(`host_device:${image}`, 512))).message).toBe(
    `${words}'host_device' driver requires '${image}' to be either a character or block device`,
  )
  expect((await failure(create(`${image}-missing`, 512))).message).toBe(
    `${words}Could not open '${image}-missing': No such file or directory`,
  )
  expect((await failure(create('/dev/zero', 512))).message).toBe('Cannot grow device files')
  expect((await failure(create('/dev/null', 0, { preallocation: 'full' }))).message).toBe(
    "Unsupported preallocation mode 'full'",
  )
})

test('a head that cannot be cleared is told', async () => {
  const failing = libcWith({ fallocatePooled: async () => -5, seekEnd: () => 512 })
  expect((await failure(create('/dev/null', 512, {}, failing))).message).toBe(
    "Failed to clear the new image's first sector: Input/output error",
  )
})

test('a device without length has no head', async () => {
  await expect(create('/dev/null', 0)).resolves.toBeUndefined()
})

test.skipIf('reason' in loop)(
  `the head is empty, by any means (skipped without a loop device: ${reason})`,
  async () => {
    if (!('device' in loop)) return
    const head = (): Uint8Array => {
      const fd = fs.openSync(loop.device, 'r')
      const bytes = new Uint8Array(1024)
      fs.readSync(fd, bytes)
      fs.closeSync(fd)
      return bytes
    }
    for (const calls of [libc, undefined, libcWith({ fallocatePooled: async () => -95 })]) {
      const fd = fs.openSync(loop.device, 'r+')
      fs.writeSync(fd, new Uint8Array(1024).fill(9))
      fs.closeSync(fd)
      await create(loop.device, 0x10_0000, {}, calls)
      expect(head()).toEqual(Uint8Array.from([...new Uint8Array(512), ...new Uint8Array(512).fill(9)]))
    }
    expect((await failure(create(loop.device, 0x20_0000))).message).toBe('Cannot grow device files')
  },
)
