/** Proves what the runtime options come to, and their messages. */

import { describe, expect, test } from 'vitest'
import { makeGeometry } from '../../src/format/geometry.ts'
import { decodeHeader, type Header } from '../../src/format/header.ts'
import type { Qcow2Options } from '../../src/open/options.ts'
import { cacheShape, judgeRuntimeOptions } from '../../src/open/runtime-options.ts'
import { newImage } from '../helpers/disk.ts'
import { failureOf } from '../helpers/open-on.ts'

const GiB = 1024 ** 3
const MiB = 1024 ** 2

async function context(change: Partial<Header> = {}, unmap = false) {
  const header = { ...decodeHeader(await newImage(MiB)), ...change }
  const geometry = makeGeometry({ clusterBits: header.clusterBits, extendedL2: false, refcountOrder: 4 })
  return { header, geometry, flags: { unmap } }
}

describe('cache sizes', () => {
  test.each([
    { size: 64 * MiB, options: {}, l2: [1 + 1, 65536], refblocks: 4 },
    { size: 256 * GiB, options: {}, l2: [512, 65536], refblocks: 4 },
    { size: 257 * GiB, options: {}, l2: [8192, 4096], refblocks: 4 },
    { size: 64 * GiB, options: { l2CacheSize: MiB }, l2: [256, 4096], refblocks: 4 },
    { size: 64 * GiB, options: { l2CacheSize: MiB, l2CacheEntrySize: 65536 }, l2: [16, 65536], refblocks: 4 },
    { size: 64 * GiB, options: { l2CacheSize: 64 * MiB }, l2: [128, 65536], refblocks: 4 },
    { size: 64 * GiB, options: { cacheSize: MiB }, l2: [192, 4096], refblocks: 4 },
    { size: 64 * GiB, options: { cacheSize: 100 * MiB }, l2: [128, 65536], refblocks: 1472 },
    { size: 64 * GiB, options: { cacheSize: 2 * MiB, l2CacheSize: MiB }, l2: [256, 4096], refblocks: 16 },
    { size: 64 * GiB, options: { cacheSize: 2 * MiB, refcountCacheSize: MiB }, l2: [256, 4096], refblocks: 16 },
    { size: 64 * GiB, options: { refcountCacheSize: MiB }, l2: [128, 65536], refblocks: 16 },
    { size: 0, options: { l2CacheSize: 0n }, l2: [2, 4096], refblocks: 4 },
  ])('$size bytes, $options', async ({ size, options, l2, refblocks }) => {
    const { header, geometry } = await context({ size })
    expect(cacheShape(options, { header, geometry })).toEqual({
      l2Entries: l2[0],
      l2EntrySize: l2[1],
      refblockEntries: refblocks,
    })
  })
})

describe('refusals', () => {
  test.each<{ options: Qcow2Options; message: string; version?: 2 }>([
    {
      options: { cacheSize: 3, l2CacheSize: 1, refcountCacheSize: 1 },
      message: 'cache-size, l2-cache-size and refcount-cache-size may not be set at the same time',
    },
    { options: { cacheSize: 1, l2CacheSize: 2 }, message: 'l2-cache-size may not exceed cache-size' },
    { options: { cacheSize: 1, refcountCacheSize: 2 }, message: 'refcount-cache-size may not exceed cache-size' },
    ...[256, 513, 131072].map((l2CacheEntrySize) => ({
      options: { l2CacheEntrySize },
      message: 'L2 cache entry size must be a power of two between 512 and the cluster size (65536)',
    })),
    { options: { cacheSize: 2n ** 60n, refcountCacheSize: 0 }, message: 'L2 cache size too big' },
    { options: { refcountCacheSize: 2n ** 60n }, message: 'Refcount cache size too big' },
    { options: { cacheCleanInterval: 2 ** 32 }, message: 'Cache clean interval too big' },
    { options: { cacheCleanInterval: -1 }, message: 'Cache clean interval too big' },
    {
      options: { lazyRefcounts: true },
      version: 2,
      message: 'Lazy refcounts require a qcow2 image with at least qemu 1.1 compatibility level',
    },
    {
      options: { discardNoUnref: true },
      version: 2,
      message: 'discard-no-unref is only supported since qcow2 version 3',
    },
    {
      options: { overlapCheck: 'foo' },
      message:
        "Unsupported value 'foo' for qcow2 option 'overlap-check'. Allowed are any of the following: none, constant, cached, all",
    },
    {
      options: { overlapCheck: 'all', overlapCheckTemplate: 'none' },
      message: "Conflicting values for qcow2 options 'overlap-check' ('all') and 'overlap-check.template' ('none')",
    },
    {
      options: { encryptFormat: 'luks' },
      message: "No encryption in image header, but options specified format 'luks'",
    },
  ])('$message', async ({ options, message, version }) => {
    const given = await context(version === undefined ? {} : { version })
    expect(await failureOf(() => judgeRuntimeOptions(options, given))).toBe(`EINVAL ${message}`)
  })
})

test('defaults and overrides', async () => {
  const plain = judgeRuntimeOptions({}, await context())
  expect(plain).toMatchObject({
    useLazyRefcounts: false,
    keepsPlaces: false,
    passthrough: { never: false, always: true, request: false, snapshot: true, other: false },
  })
  expect(plain.overlap).toHaveLength(8)
  expect(plain.cacheCleanInterval).toBe(600)
  const lazy = { compatibleFeatures: { high: 0, low: 1 } }
  expect(judgeRuntimeOptions({}, await context(lazy, true))).toMatchObject({
    useLazyRefcounts: true,
    passthrough: { request: true },
  })
  const options = {
    lazyRefcounts: false,
    passDiscardRequest: false,
    passDiscardSnapshot: false,
    passDiscardOther: true,
    discardNoUnref: true,
    overlapCheckTemplate: 'none',
    overlapActiveL2: true,
    cacheCleanInterval: 0,
  }
  expect(judgeRuntimeOptions(options, await context(lazy, true))).toMatchObject({
    useLazyRefcounts: false,
    keepsPlaces: true,
    overlap: ['active-l2'],
    cacheCleanInterval: 0,
    passthrough: { request: false, snapshot: false, other: true },
  })
})
