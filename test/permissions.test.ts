// Proves that every edge takes and shares what the reference's does: formats, windows, chains, filters, and users that read
// or write; and that a conflict is refused in the same words, with no change to the graph. What the reference says is
// recorded, and asked again where it is installed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyDriver } from '@blocklayer/block-core'
import { blkdebugDriver } from '@blocklayer/driver-blkdebug'
import { blklogwritesDriver } from '@blocklayer/driver-blklogwrites'
import { blkverifyDriver } from '@blocklayer/driver-blkverify'
import { compressDriver } from '@blocklayer/driver-compress'
import { copyOnReadDriver } from '@blocklayer/driver-copy-on-read'
import { fileDriver } from '@blocklayer/driver-file'
import { preallocateDriver } from '@blocklayer/driver-preallocate'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { quorumDriver } from '@blocklayer/driver-quorum'
import { rawDriver } from '@blocklayer/driver-raw'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled } from '../scripts/lib/workspace.ts'
import { makeImages } from './descriptions/images.ts'
import { graphs } from './permissions/graphs.ts'
import { recorded } from './permissions/recorded.ts'
import { ours, theirs } from './permissions/sides.ts'

const hasReference = isInstalled('qemu-img') && isInstalled('qemu-storage-daemon')
if (!hasReference && process.env.CI !== undefined) throw new Error('CI needs the reference: install qemu-utils')

const drivers: AnyDriver[] = [
  fileDriver,
  rawDriver,
  qcow2Driver,
  blkdebugDriver,
  blklogwritesDriver,
  blkverifyDriver,
  compressDriver,
  copyOnReadDriver,
  preallocateDriver,
  quorumDriver,
]

const home = process.cwd()
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-permissions-'))
  if (hasReference) makeImages(folder)
  process.chdir(folder)
})
afterAll(() => {
  process.chdir(home)
  rmSync(folder, { recursive: true })
})

test('every graph is recorded', () => {
  expect(Object.keys(recorded)).toEqual(Object.keys(graphs))
})

// The images are the reference's own.
describe.skipIf(!hasReference)('beside the storage daemon (skipped where it is not installed)', () => {
  test.each(Object.entries(graphs))('%s', async (name, steps) => {
    expect(await theirs(folder, steps)).toEqual(recorded[name])
    expect(await ours(drivers, steps)).toEqual(recorded[name])
  })
})
