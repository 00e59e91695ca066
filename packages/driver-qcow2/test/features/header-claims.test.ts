/**
 * Proves that a header's claims are told as its fields have them, all at once and whatever they say: names, tables, sizes
 * that no number holds, and everything that is wrong with them.
 */

import { expect, test } from 'vitest'
import { headerClaims } from '../../src/features/header-claims.ts'
import { Victim } from '../damage/image.ts'
import { hostileSizes } from '../damage/hostile-sizes.ts'
import { type Base, makeBase } from '../damage/bases.ts'
import { MiB, newImage } from '../helpers/disk.ts'
import { TemporaryFolder } from '../helpers/reference.ts'

test('a plain image names nothing', async () => {
  expect(headerClaims(await newImage(MiB))).toEqual({
    virtualSize: 1048576n,
    names: [],
    tables: [
      { name: 'L1 table', offset: 196608n, bytes: 8n, held: true },
      { name: 'refcount table', offset: 65536n, bytes: 65536n, held: true },
    ],
    snapshots: 0,
    encryption: undefined,
    unknownFeatures: [],
    problems: [],
    memory: BigInt(32 * MiB + 4 * 65536),
  })
})

test('backing file and data file', async () => {
  const backing = { filename: '/etc/shadow', format: 'raw' }
  expect(headerClaims(await newImage(MiB, {}, backing)).names).toEqual([{ role: 'backing', filename: '/etc/shadow' }])
  const dataFile = 'json:{"driver":"nbd"}'
  expect(headerClaims(await newImage(MiB, { dataFile })).names).toEqual([{ role: 'data-file', filename: dataFile }])
})

test('a name that cannot be read is a name', async () => {
  const image = new Victim(await newImage(MiB, {}, { filename: 'x', format: 'raw' }))
  const { names, problems } = headerClaims(image.set32(16, 5000).bytes)
  expect(names).toEqual([{ role: 'backing', filename: '' }])
  expect(problems).toEqual(['Backing file name too long'])
})

test('encryption, and features of later versions under the names that the image gives them', async () => {
  const image = new Victim(await newImage(MiB))
  expect(headerClaims(image.set32(32, 1).bytes).encryption).toBe('aes')
  expect(headerClaims(image.set32(32, 9).bytes).problems).toEqual(['Unsupported encryption method 9'])
  expect(headerClaims(image.set32(32, 0).set(72, 1n << 40n).bytes).unknownFeatures).toEqual([
    'Unknown incompatible feature: 10000000000',
  ])
})

test('a file cut short and one of another format', () => {
  expect(() => headerClaims(new Uint8Array(3))).toThrow('Image is not in qcow2 format')
})

test('no size that a field can say makes it throw, or take long', async () => {
  using folder = new TemporaryFolder()
  const shape = { maker: 'ours', compat: '1.1', clusterSize: 65536, refcountBits: 16, with: 'snapshots' } as const
  const sound = await makeBase({ name: 'hostile', ...shape } satisfies Base, folder)
  for (const { name, apply } of hostileSizes) {
    const { bytes } = apply(new Victim(sound.slice()))
    if (name.startsWith('clusters of') || name === 'a header of 4 GiB') expect(() => headerClaims(bytes)).toThrow()
    else expect(headerClaims(bytes).virtualSize).toBeGreaterThan(0n)
  }
})

test('what bitmaps take in memory is known with their directory', async () => {
  using folder = new TemporaryFolder()
  const shape = { maker: 'ours', compat: '1.1', clusterSize: 65536, refcountBits: 16, with: 'bitmaps' } as const
  const image = new Victim(await makeBase({ name: 'bitmaps', ...shape }, folder))
  const { fetch, memory } = headerClaims(image.bytes)
  expect(fetch).toEqual({ offset: image.directory, bytes: 32 })
  const directory = image.bytes.slice(fetch!.offset, fetch!.offset + fetch!.bytes)
  const complete = headerClaims(image.set(24, 1n << 44n).bytes, image.bytes.length, directory)
  expect(complete.fetch).toBeUndefined()
  expect(complete.memory - memory).toBeGreaterThan(2n ** 32n)
  expect(headerClaims(image.bytes, 0, new Uint8Array(3)).memory).toBe(memory)
})
