// Proves that one description means one thing: the same node trees open in ours and in the reference, under the same
// names and with the same bytes, and what cannot be opened is refused in the same words.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyDriver } from '@blocklayer/block-core'
import { blkdebugDriver } from '@blocklayer/driver-blkdebug'
import { blklogwritesDriver } from '@blocklayer/driver-blklogwrites'
import { blkverifyDriver } from '@blocklayer/driver-blkverify'
import { compressDriver } from '@blocklayer/driver-compress'
import { copyOnReadDriver } from '@blocklayer/driver-copy-on-read'
import { createFileDriver, hostDeviceDriver } from '@blocklayer/driver-file'
import { nullAioDriver, nullCoDriver } from '@blocklayer/driver-null'
import { preallocateDriver } from '@blocklayer/driver-preallocate'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { quorumDriver } from '@blocklayer/driver-quorum'
import { rawDriver } from '@blocklayer/driver-raw'
import { createThrottleDriver } from '@blocklayer/driver-throttle'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled } from '../scripts/lib/workspace.ts'
import { makeImages } from './descriptions/images.ts'
import * as rows from './descriptions/rows.ts'
import { askOurs, askReference } from './descriptions/sides.ts'

const hasReference = isInstalled('qemu-img') && isInstalled('qemu-io')
if (!hasReference && process.env.CI !== undefined) throw new Error('CI needs the reference: install qemu-utils')

const drivers: AnyDriver[] = [
  createFileDriver({ aio: 'sync' }),
  hostDeviceDriver,
  rawDriver,
  qcow2Driver,
  blkdebugDriver,
  nullCoDriver,
  nullAioDriver,
  compressDriver,
  copyOnReadDriver,
  preallocateDriver,
  quorumDriver,
  blkverifyDriver,
  blklogwritesDriver,
  createThrottleDriver({ groups: new Map() }),
]

const home = process.cwd()
let folder: string

beforeAll(() => {
  if (!hasReference) return
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-descriptions-'))
  for (const side of ['ours', 'theirs']) {
    mkdirSync(join(folder, side))
    makeImages(join(folder, side))
  }
  // Relative names are part of what is compared, and a library takes them from where its process stands.
  process.chdir(join(folder, 'ours'))
})
afterAll(() => {
  process.chdir(home)
  if (folder !== undefined) rmSync(folder, { recursive: true })
})

/** `''` and long rows are poor names for tests. */
const titled = (table: readonly rows.Row[]) =>
  table.map((row) => [`${row.imageOpts === true ? '--image-opts ' : ''}${row.format ?? ''} ${row.text}`, row] as const)

const tables: readonly (readonly [string, readonly rows.Row[]])[] = [
  ['names', rows.names],
  ['bad names', rows.badNames],
  ['option strings', rows.optionStrings],
  ['bad option strings', rows.badOptionStrings],
  ['backing files', rows.backings],
  ['json: names', rows.jsonNames],
  ['bad json: names', rows.badJsonNames],
  ...Object.entries(rows.smallDrivers),
]

test('both sides are asked about many descriptions that open', () => {
  const good = tables.filter(([name]) => !name.startsWith('bad')).flatMap(([, table]) => table)
  expect(new Set(good.map(({ text }) => text)).size).toBeGreaterThanOrEqual(60)
})

describe.skipIf(!hasReference).each(tables)('%s (skipped where the reference is not installed)', (_, table) => {
  test.each(titled(table))('%s', async (_title, row) => {
    expect(await askOurs(row, drivers)).toEqual(askReference(row, join(folder, 'theirs')))
  })
})

describe.skipIf(!hasReference)('on purpose not alike (skipped where the reference is not installed)', () => {
  test.each(titled(rows.refusedByUs))('%s', async (_title, row) => {
    const theirs = askReference(row, join(folder, 'theirs'))
    const own = await askOurs(row, drivers)
    expect([theirs.bytes === undefined, own.bytes]).toEqual([false, undefined])
    expect(own.messages).toMatch(/does not support the option 'backing'|Invalid parameter type for 'backing'/)
  })
})
