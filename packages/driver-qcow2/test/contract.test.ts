/** Proves that qcow2 does what every driver must do, in each corner of its parameters. */

import { contractCases, driverContract } from '@blocklayer/block-core/testing'
import { describe, test } from 'vitest'
import { qcow2Driver } from '../src/index.ts'

const shapes = [
  { name: 'the defaults', create: {} },
  { name: 'version 2', create: { compat: '0.10' } },
  { name: '512-byte clusters, 64-bit refcounts', create: { cluster_size: 512, refcount_bits: 64 } },
  { name: '2 MiB clusters, 1-bit refcounts', create: { cluster_size: 2 * 1024 * 1024, refcount_bits: 1 } },
  { name: 'extended L2 entries', create: { cluster_size: 16384, extended_l2: true } },
  { name: 'lazy refcounts', create: { lazy_refcounts: true, cluster_size: 4096 } },
]

describe.each(shapes)('$name', ({ create }) => {
  const can = { check: true, makeEmpty: true, switchMode: true }
  for (const { name, run } of contractCases(driverContract(qcow2Driver, { create, can }))) test(name, run)
})
