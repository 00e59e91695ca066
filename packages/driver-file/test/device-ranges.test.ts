/** Proves that a device that cannot is asked once, and that other failures are told. */

import { expect, test } from 'vitest'
import { DeviceRanges } from '../src/device-ranges.ts'
import { failure, libcWith } from './support.ts'

const range = { fd: 3, offset: 0, bytes: 4096 }

test.each(['discard', 'punch', 'zero'] as const)('%s', async (what) => {
  const results = [0, -5, -95]
  let calls = 0
  const answer = async (): Promise<number> => results[calls++] ?? 0
  const ranges = new DeviceRanges(libcWith({ ioctlPooled: answer, fallocatePooled: answer }))
  await ranges[what](range)
  expect(await failure(ranges[what](range))).toMatchObject({ code: 'EIO' })
  for (let i = 0; i < 3; i++) expect(await failure(ranges[what](range))).toMatchObject({ code: 'ENOTSUP' })
  expect(calls).toBe(3)
})
