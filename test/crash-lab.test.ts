// Proves that the lab's table for emptying is the one known of the reference, and that its command and its reports say what
// they are to say. The lab's whole run is crash-lab/every-operation.test.ts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBlockGraph } from '@blocklayer/block-core'
import { filled, MemoryStore, memory, recordOperation } from '@blocklayer/block-core/testing'
import { blklogwrites, blklogwritesDriver } from '@blocklayer/driver-blklogwrites'
import { qcow2, qcow2Driver } from '@blocklayer/driver-qcow2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newImage } from '../packages/driver-qcow2/test/helpers/disk.ts'
import { type CrashRow, crashTable, tableText } from '../scripts/crash-lab/crash-table.ts'
import { exploreCase } from '../scripts/crash-lab/explore-case.ts'
import { htmlReport } from '../scripts/crash-lab/html-report.ts'
import { cases, casesNamed, defaultCase, entries } from '../scripts/crash-lab/operations.ts'
import { root, run } from '../scripts/lib/workspace.ts'

const script = join(root, 'scripts/crash-lab.ts')
const lab = (...args: readonly string[]) =>
  run(process.execPath, ['--conditions=@blocklayer/source', script, ...args], root)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'crash-lab-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the table has all that it is to have', () => {
  const wanted = [
    ['first-in-l2', 'first-in-refblock', 'growing-refcount-table', 'growing-l1', 'overwrite-in-snapshot', 'zero-write'],
    [
      'discard',
      'compressed-write',
      'snapshot-create',
      'snapshot-apply',
      'snapshot-delete',
      'bitmap-store',
      'resize-up',
    ],
    ['resize-down', 'amend-upgrade', 'amend-downgrade', 'amend-wider-counts', 'amend-narrower-counts', 'amend-lazy'],
    ['amend-not-lazy', 'amend-size', 'repair-on-open', 'repair-rebuild', 'repair-leaks', 'change-backing', 'makeEmpty'],
    ['makeEmpty-snapshot', 'commit', 'commit-grows', 'rebase', 'close', 'change-backing-long'],
    ['data-file-write', 'data-file-overwrite', 'data-file-zero', 'data-file-discard', 'data-file-resize'],
    [
      'data-file-close',
      'data-file-makeEmpty',
      'data-file-commit',
      'data-file-amend',
      'raw-file-write',
      'raw-file-zero',
    ],
    ['raw-file-discard', 'raw-file-resize', 'raw-file-amend', 'subclusters', 'bitmap-resize', 'bitmap-clear'],
    ['amend-upgrade-snapshots', 'amend-downgrade-snapshots', 'amend-downgrade-backed'],
    ['amend-wider-counts-snapshots', 'amend-narrower-counts-snapshots', 'amend-size-snapshots'],
  ].flat()
  expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(wanted))
  for (const entry of entries) expect(casesNamed(entry.name).length, entry.name).toBeGreaterThan(0)
  const names = cases.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})

/** What is found of the overlay where the process dies before some of the requests. */
interface Expected {
  /** Numbers of our requests. */
  readonly before: readonly number[]
  /** Numbers of the reference's: it has 13, and no flush behind the L1 table and behind the zeroed clusters. */
  readonly reference: string
  readonly onDisk: string
  readonly view: 'overlay' | 'empty'
  readonly check: readonly string[]
  readonly repair: readonly string[]
}

const leaks = [4, 5, 6, 7, 8, 9].map((cluster) => `Leaked cluster ${cluster} refcount=1 reference=0`)
const repaired = (clusters: readonly number[]) =>
  clusters.map((cluster) => `Repairing cluster ${cluster} refcount=1 reference=0`)
const errors = (clusters: readonly number[]) =>
  clusters.map((cluster) => `ERROR cluster ${cluster} refcount=0 reference=1`)

// Restated from what was observed of QEMU 7.2.22: killed before each of its host calls, `qemu-img commit` leaves this.
const makeEmptyTable: readonly Expected[] = [
  { before: [1], reference: '1', onDisk: 'clean, L1 set, refcounts set', view: 'overlay', check: [], repair: [] },
  { before: [2, 3], reference: '2, 3', onDisk: 'dirty, L1 set, refcounts set', view: 'overlay', check: [], repair: [] },
  {
    before: [4, 5],
    reference: '4',
    onDisk: 'dirty, L1 zero, refcounts set',
    view: 'empty',
    check: leaks,
    repair: [...leaks, ...repaired([4, 5, 6, 7, 8, 9])],
  },
  {
    before: [6, 7, 8, 9],
    reference: '5, 6, 7',
    onDisk: 'dirty, L1 zero, refcount table zero',
    view: 'empty',
    check: errors([0, 1, 3]),
    repair: [...errors([0, 1, 3]), 'Rebuilding refcount structure', ...repaired([1])],
  },
  {
    before: [10, 11],
    reference: '8, 9',
    onDisk: 'dirty, L1 zero, refcount block zero',
    view: 'empty',
    check: errors([0, 1, 2, 3]),
    repair: [...errors([0, 1, 2, 3]), 'Rebuilding refcount structure', ...repaired([1, 2])],
  },
  {
    before: [12, 13],
    reference: '10, 11',
    onDisk: 'dirty, L1 zero, refcounts set',
    view: 'empty',
    check: [],
    repair: [],
  },
  {
    before: [14, 15, 16],
    reference: '12, 13',
    onDisk: 'clean, L1 zero, refcounts set',
    view: 'empty',
    check: [],
    repair: [],
  },
]

describe('the crash table of makeEmpty', () => {
  let rows: CrashRow[]
  beforeAll(async () => {
    const one = defaultCase('makeEmpty')!
    rows = await crashTable(one, await recordOperation(one))
  })

  test.each(makeEmptyTable)('before $before, as the reference before $reference', (expected) => {
    for (const number of expected.before) {
      const row = rows[number - 1]!
      expect(row.onDisk[0]!.replace(/, (tables moved|262144 bytes)/g, '')).toBe(expected.onDisk)
      expect(row.allocated > 0 ? 'overlay' : 'empty').toBe(expected.view)
      expect(row.guest).toBe('same')
      // The last line is that of the base, which is never touched.
      expect(row.check).toEqual([...(expected.check.length === 0 ? ['no errors'] : expected.check), 'no errors'])
      expect(row.repair).toEqual(expected.repair)
      expect(row.after).toEqual(['no errors', 'no errors'])
      expect(row.problems).toEqual([])
    }
  })

  test('the requests are those of the reference, with a flush behind each of the first two zero writes', () => {
    expect(rows.map(({ request }) => request)).toEqual([
      'write 8 @ 72',
      'flush',
      'zero 65536 @ 196608',
      'flush',
      'zero 196608 @ 65536',
      'flush',
      'write 20 @ 40',
      'flush',
      'write 8 @ 65536',
      'flush',
      'write 65536 @ 131072',
      'flush',
      'write 65536 @ 0',
      'truncate to 262144',
      'flush',
      'end',
    ])
    expect(rows.every(({ disk, request }) => request === 'end' || disk === 'overlay')).toBe(true)
  })

  test('as text', () => {
    const text = tableText(defaultCase('makeEmpty')!, rows)
    expect(text).toContain('   3  before zero 65536 @ 196608 (overlay)\n        on disk: dirty, L1 set, refcounts set')
    expect(text).not.toContain('VIOLATION')
  })
})

test('a data file is called that, and no image without a header', async () => {
  const one = defaultCase('data-file-write/v3-512')!
  const rows = await crashTable(one, await recordOperation(one))
  expect(rows[0]!.onDisk).toEqual(['clean, L1 set, refcounts set', 'data file, 6144 bytes'])
})

test('a violation is one line that brings it back', async () => {
  // A disk cache that swallows every flush of the overlay: what was flushed is lost.
  const one = defaultCase('next-in-l2/v3-512')!
  const forgetful: typeof one = {
    ...one,
    open: async (disks, options) => {
      for (const disk of disks) disk.flush = () => undefined
      return await one.open(disks, options)
    },
  }
  const { violations } = await exploreCase(forgetful, { seed: 3, samples: 16, faults: false, full: false })
  expect(violations.length).toBeGreaterThan(0)
  expect(violations[0]).toMatch(
    /^pnpm crash-lab --operation next-in-l2\/v3-512 --seed 3 --state '\d+:[a-z]\S*' {2}# guest sector \d+ begins with/,
  )
})

test('the command: one state, one fault, a table as JSON, a list', () => {
  const state = lab('--operation', 'discard/v3-512', '--seed', '1', '--state', '0:x1')
  expect([state.code, state.stdout.split('\n')[0]]).toEqual([0, 'discard/v3-512 0:x1: nothing is wrong'])
  const fault = lab('--operation', 'discard/v3-512', '--fault', 'flush:EIO:once:0')
  expect([fault.code, fault.stdout]).toEqual([0, 'discard/v3-512 flush:EIO:once:0: nothing is wrong\n'])
  const json = JSON.parse(lab('resize-up/v2-512', '--json').stdout) as { operation: string; rows: CrashRow[] }
  expect(json.operation).toBe('resize-up/v2-512')
  expect(json.rows.at(-1)).toMatchObject({ request: 'end', problems: [] })
  expect(lab('--list').stdout).toContain('makeEmpty/v3-64k  Emptying a committed overlay')
  const unknown = lab('no-such-operation')
  expect(unknown.code).not.toBe(0)
  expect(unknown.stderr).toContain("there is no operation 'no-such-operation': see pnpm crash-lab --list")
})

test('the HTML report stands alone, and has every state', async () => {
  const one = defaultCase('makeEmpty/v3-512')!
  const recording = await recordOperation(one)
  const html = await htmlReport(one, recording, await crashTable(one, recording), 1)
  expect(html).not.toMatch(/src=|href=|https?:|@import|url\(/)
  const states = Number(/(\d+) crash states, 0 violations/.exec(html)?.[1])
  expect(states).toBeGreaterThan(10)
  expect(html.match(/<i(?: class="\w+")? title=/g)).toHaveLength(states)
})

test('a log of blklogwrites: every state of what it recorded is looked at', async () => {
  const image = await newImage(64 * 1024, { clusterSize: 512 })
  const [disk, log] = [new MemoryStore(image), new MemoryStore()]
  const graph = createBlockGraph({ drivers: [qcow2Driver, blklogwritesDriver], implicitOpen: 'deny' })
  const file = blklogwrites({ file: memory(disk), log: memory(log) })
  const opened = await graph.open(qcow2({ file, backing: null }), {})
  await opened.write(0, filled(1, 4096))
  await opened.flush()
  await opened.writeZeroes(512, 1024)
  await graph.close()
  const [logFile, imageFile] = [join(folder, 'log'), join(folder, 'image')]
  writeFileSync(logFile, log.bytes())
  writeFileSync(imageFile, image)
  const { code, stdout } = lab('--log', logFile, '--image', imageFile)
  expect(stdout).toMatch(/^\d+ entries, \d+ crash states, 0 violations\n$/)
  expect(code).toBe(0)
  const state = lab('--log', logFile, '--image', imageFile, '--state', '1:x1')
  expect([state.code, state.stdout]).toEqual([0, '1:x1: nothing is wrong\n'])
  // Without what was there before, half an image is all that the log tells of.
  const wrong = lab('--log', logFile, '--state', '1:all')
  expect([wrong.code, wrong.stdout.split('\n')[0]]).toEqual([1, '1:all: VIOLATION'])
  const without = lab('--log', logFile, '--json')
  expect(JSON.parse(without.stdout)).toMatchObject({ states: expect.any(Number) })
  expect(readFileSync(logFile).length).toBeGreaterThan(4096)
})
