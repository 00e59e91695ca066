/**
 * Proves that metadata is not held in memory beyond the caches: not for a disk of 64 TiB, not for one of 1 TiB whose
 * tables are all there, and that checking the latter takes less than the reference takes for it (40 MiB).
 */

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createBlockGraph, type CreateOptions } from '@blocklayer/block-core'
import { createFileDriver } from '@blocklayer/driver-file'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { qcow2Driver } from '../src/index.ts'
import { TemporaryFolder } from './helpers/reference.ts'

const TiB = 2n ** 40n
const script = fileURLToPath(new URL('memory-process.ts', import.meta.url))

interface Measured {
  readonly bare: number
  readonly opened: number
  readonly end: number
  readonly result: unknown
}

function measure(work: 'open' | 'read' | 'check', path: string): Measured {
  const args = ['--conditions=@blocklayer/source', '--no-warnings', script, work, path]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

async function create(path: string, size: bigint, options: CreateOptions['options']): Promise<void> {
  await using graph = createBlockGraph({
    drivers: [qcow2Driver, createFileDriver({ aio: 'sync' })],
    implicitOpen: 'deny',
  })
  await graph.create('qcow2', path, { size, options })
}

// Resident sizes are read where Linux tells them.
describe.skipIf(!existsSync('/proc/self/status'))('memory in MiB', () => {
  const folder = new TemporaryFolder()
  const [wide, full] = [folder.file('wide'), folder.file('full')]
  beforeAll(async () => {
    await create(wide, 64n * TiB, { cluster_size: 2 ** 21 })
    await create(full, TiB, { preallocation: 'metadata' })
  }, 120_000)
  afterAll(() => folder[Symbol.dispose]())

  test('opening 64 TiB with clusters of 2 MiB', () => {
    const { bare, opened } = measure('open', wide)
    expect(opened - bare).toBeLessThan(50)
  })

  test('opening 1 TiB with all its metadata', () => {
    const { bare, opened } = measure('open', full)
    expect(opened - bare).toBeLessThan(50)
  })

  test('reading all over it with caches of 2 MiB', () => {
    const { bare, end } = measure('read', full)
    expect(end - bare).toBeLessThan(30)
  })

  test('checking it', () => {
    const { bare, end, result } = measure('check', full)
    expect(result).toMatchObject({ corruptions: 0, leaks: 0, clusters: { total: 2 ** 24, allocated: 2 ** 24 } })
    expect(end - bare).toBeLessThan(40)
  }, 120_000)
})
