/** Proves which options and names the null drivers take, and in which words they refuse the others. */

import { describe, expect, test } from 'vitest'
import { nullAio, nullCo } from '../src/index.ts'
import { checkNullOptions, parseNullName } from '../src/options.ts'
import { failure, open, reference, withoutReference } from './support.ts'

test('nothing said: 1 GiB, at once, buffers left alone', () => {
  const plain = { length: 2 ** 30, latency: 0, readZeroes: false, isSpecial: false }
  expect(checkNullOptions({})).toEqual(plain)
})

test('the latency is rounded up to whole milliseconds', () => {
  expect(checkNullOptions({ latencyNs: 1 }).latency).toBe(1)
  expect(checkNullOptions({ latencyNs: 2_000_000n }).latency).toBe(2)
  expect(checkNullOptions({ latencyNs: 2n ** 63n - 1n }).latency).toBeGreaterThan(9e12)
})

test('size and read-zeroes change what is shown, the latency does not', () => {
  expect(checkNullOptions({ latencyNs: 5 }).isSpecial).toBe(false)
  expect(checkNullOptions({ readZeroes: false }).isSpecial).toBe(true)
  expect(checkNullOptions({ size: 2 ** 30 }).isSpecial).toBe(true)
})

test.each([-1, 2n ** 63n, 2n ** 64n - 1n])('a latency of %s', (latencyNs) => {
  expect(() => checkNullOptions({ latencyNs })).toThrow(
    expect.objectContaining({ code: 'EINVAL', message: 'latency-ns is invalid' }),
  )
})

// The reference takes 2^63 for a disk of length 0, and other sizes above that for errno numbers.
test.each([-1, 9223372035781033985n, 2n ** 63n, 2n ** 64n - 1n])('a size of %s', (size) => {
  const message = 'Could not refresh total sector count: File too large'
  expect(() => checkNullOptions({ size })).toThrow(expect.objectContaining({ code: 'EFBIG', message }))
})

test('a file name is the bare protocol', () => {
  expect(parseNullName('null-co', 'null-co://')).toEqual(new Map())
  expect(() => parseNullName('null-aio', 'null-co://')).toThrow(
    expect.objectContaining({
      code: 'EINVAL',
      message: "The only allowed filename for this driver is 'null-aio://'",
    }),
  )
})

describe.skipIf(withoutReference)('beside the reference (skipped without qemu-io)', () => {
  test.each([
    'null-co://x',
    'null-co:',
    'null-co:///',
    'null-aio://x',
    'driver=null-co,latency-ns=-1',
    'driver=null-co,latency-ns=9223372036854775808',
    'driver=null-co,foo=bar',
    'driver=null-aio,foo=bar',
    'driver=null-co,filename=null-co://',
    'driver=null-co,size=9223372035781033985',
    'driver=null-co,size=9223372036854775807',
  ])('%s is refused in the same words', async (image) => {
    const isOptions = image.startsWith('driver=')
    const printed = reference('qemu-io', ...(isOptions ? ['--image-opts'] : []), '-c', 'length', image)
    expect(`qemu-io: can't open${isOptions ? '' : ` device ${image}`}: ${await failure(image)}\n`).toBe(printed)
  })

  // Here the reference prints the message and aborts.
  test.each(['size=-1', 'size=abc', 'latency-ns=1x', 'latency-ns=99999999999999999999', 'read-zeroes=maybe'])(
    '%s is refused in the same words, without ending the process',
    async (option) => {
      const image = `driver=null-co,${option}`
      expect(reference('qemu-io', '--image-opts', '-c', 'length', image)).toContain(
        `qemu-io: ${await failure(image)}\n`,
      )
    },
  )

  test.each([
    'null-co://',
    'null-aio://',
    'driver=null-co',
    'driver=null-co,size=4k',
    'driver=null-co,read-zeroes=off',
    'driver=null-co,latency-ns=5',
    'driver=null-aio,read-zeroes=on,size=4096,latency-ns=5',
    'json:{"driver":"null-aio","size":4096, "read-zeroes":true}',
    'json:{"driver":"null-co","size":"1000"}',
  ])('%s has the same name and length', async (image) => {
    const isOptions = image.startsWith('driver=')
    const options = isOptions ? ['--image-opts'] : ['-f', image.startsWith('null-aio') ? 'null-aio' : 'null-co']
    const args = image.startsWith('json:') ? [] : options
    const { filename, ...info } = JSON.parse(reference('qemu-img', 'info', '--output=json', ...args, image)) as {
      filename: string
      'virtual-size': number
    }
    const disk =
      isOptions || image.startsWith('json:')
        ? await open(image)
        : await open(image === 'null-co://' ? nullCo() : nullAio())
    expect({ filename: disk.root.filename, length: disk.length }).toEqual({
      filename,
      length: info['virtual-size'],
    })
  })
})
