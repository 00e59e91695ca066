/** Proves how allocation is counted and listed: runs of one kind are joined, and what lies past the end does not count. */

import { BlockError } from '@blocklayer/block-core'
import { type ChildSpec, defineDriver, nodeSpec } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { bench } from '../helpers/session.ts'

/** Kibibytes 4 to 12 are allocated; a status never reaches past a multiple of 4 KiB. */
const striped = defineDriver<{ file: ChildSpec }, never>({
  formatName: 'striped',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', help: 'x' } },
  async open() {
    return {
      length: 20480,
      read: async () => {},
      mapping: {
        async blockStatus(offset: number) {
          if (offset >= 16384) throw BlockError.fromErrno('EIO')
          const data = offset >= 4096 && offset < 12288
          return { bytes: 4096 - (offset % 4096), data, zero: false }
        },
      },
      close: async () => {},
    }
  },
})

const stripes = () => bench({ over: () => nodeSpec(striped, {} as never), readOnly: true })

test('counting', async () => {
  const { run } = await stripes()
  expect(await run('alloc 0')).toBe('0/512 bytes allocated at offset 0 bytes\n')
  expect(await run('alloc 2k 8k')).toBe('6144/8192 bytes allocated at offset 2 KiB\n')
  expect(await run('alloc 1M')).toBe('0/0 bytes allocated at offset 1 MiB\n')
  expect(await run('alloc 0 20k')).toBe('is_allocated failed: Input/output error\nfailed')
})

test('listing, until it fails', async () => {
  const { run } = await stripes()
  expect(await run('map')).toBe(
    'qemu-io: Failed to get allocation status: Input/output error\n' +
      '4 KiB (0x1000) bytes not allocated at offset 0 bytes (0x0)\n' +
      '8 KiB (0x2000) bytes     allocated at offset 4 KiB (0x1000)\nfailed',
  )
})

test('an image that ends while it is listed', async () => {
  const { session, run } = await bench()
  const { backend } = session.image!
  Object.defineProperty(backend, 'length', { value: 131072 })
  expect(await run('map')).toBe(
    'qemu-io: Unexpected end of image\n64 KiB (0x10000) bytes     allocated at offset 0 bytes (0x0)\nfailed',
  )
})
