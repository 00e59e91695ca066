// Proves what a commit does with images that are damaged, missing, circular or not writable, and with disks that fail in
// the middle: the reference's message and status, the same bytes in the overlay as before, and no corruption anywhere.

import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasReference, needsReference, type Outcome, ours, reference, shell } from '../support/tools.ts'

/** Status of a check that found leaks at most. */
const noCorruption = [0, 3]

describe.skipIf(!hasReference)(needsReference('commit of what is bad'), () => {
  let root: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'blocklayer-bad-'))
    shell(
      `mkdir start; cd start
       qemu-img create -q -f qcow2 base 4M;                 qemu-io -c 'write -P 1 0 4M' base
       qemu-img create -q -f qcow2 -b base -F qcow2 mid;    qemu-io -c 'write -P 2 0 1M' mid
       qemu-img create -q -f qcow2 -b mid -F qcow2 top;     qemu-io -c 'write -P 3 512k 2M' -c 'write -z 3M 64k' top
       qemu-img create -q -f qcow2 sparse 4M
       qemu-img create -q -f qcow2 -u -b blkdebug:rules:sparse -F qcow2 over 4M
       : > rules
       qemu-io -c 'write -P 3 512k 2M' over`,
      { cwd: root },
    )
  })
  beforeEach(() => {
    for (const folder of ['ours', 'reference']) {
      rmSync(join(root, folder), { recursive: true, force: true })
      cpSync(join(root, 'start'), join(root, folder), { recursive: true })
    }
  })
  afterAll(() => rmSync(root, { recursive: true }))

  const inOurs = (): { cwd: string } => ({ cwd: join(root, 'ours') })

  /** Runs both tools after `prepare`; the folder of each is its own. */
  function both(prepare: string, args: readonly string[]): { ours: Outcome; reference: Outcome } {
    for (const folder of ['ours', 'reference']) shell(prepare, { cwd: join(root, folder) })
    return { ours: ours(args, inOurs()), reference: reference(args, { cwd: join(root, 'reference') }) }
  }

  function expectNoCorruption(images: readonly string[]): void {
    for (const image of images) expect(noCorruption).toContain(reference(['check', '-q', image], inOurs()).status)
  }

  /** Sets the rule that `over`'s base obeys. */
  const rule = (...lines: string[]): string =>
    `(echo '[inject-error]'; ${lines.map((line) => `echo '${line}'`).join('; ')}) > rules`

  /** What `over` holds, read without the faults. */
  const content = (folder: string): string =>
    shell(
      'qemu-img convert -O raw \'json:{"driver":"qcow2","file.filename":"over","backing.driver":"qcow2","backing.file.filename":"sparse","backing.file.driver":"file"}\' out; sha256sum < out',
      {
        cwd: join(root, folder),
      },
    )

  test.each([
    ['a truncated header', 'head -c 60 top > x; mv x top'],
    ['a truncated base', 'head -c 60 base > x; mv x base'],
    ['a missing backing file', 'rm mid'],
    ['a missing base', 'rm base'],
    ['a directory', 'rm top; mkdir top'],
    ['a directory for a base', 'rm mid; mkdir mid'],
    ['a loop', 'qemu-img rebase -u -f qcow2 -b top -F qcow2 base'],
    ['an unknown feature', "printf '\\200' | dd of=top bs=1 seek=72 conv=notrunc status=none"],
    ['an empty file', ': > top'],
  ])('%s', (_, prepare) => {
    const outcomes = both(prepare, ['commit', 'top'])
    expect(outcomes.ours).toEqual(outcomes.reference)
    expect(outcomes.ours.status).toBe(1)
  })

  test.skipIf(process.getuid?.() === 0)('a read-only base (skipped: root may write everywhere)', () => {
    const outcomes = both('chmod a-w mid', ['commit', 'top'])
    expect(outcomes.ours).toEqual(outcomes.reference)
    expect(outcomes.ours.stderr).toContain('Permission denied')
  })

  // The file system says no to root as well.
  test('a base on which nothing can be written', () => {
    const outcomes = both('rm mid; ln -s /dev/full mid', ['commit', 'top'])
    expect(outcomes.ours.status).toBe(outcomes.reference.status)
  })

  test.each([
    ['write_aio'],
    ['write_aio', 'errno = "28"'],
    ['flush_to_disk'],
    ['flush_to_os'],
    ['l2_update'],
    ['cluster_alloc'],
    ['refblock_load'],
    ['l2_load'],
    ['write_aio', 'errno = "28"', 'once = "on"'],
    ['l2_load', 'once = "on"'],
  ])('the base fails: %s %s %s', (event, ...more) => {
    const before = content('start')
    const outcomes = both(rule(`event = "${event}"`, ...more), ['commit', 'over'])
    expect(outcomes.ours).toEqual(outcomes.reference)
    expectNoCorruption(['sparse'])
    expect(content('ours')).toBe(before)
    // Once the fault is gone, a second commit gets through.
    shell(': > rules', inOurs())
    expect(ours(['commit', 'over'], inOurs())).toEqual({ stdout: 'Image committed.\n', stderr: '', status: 0 })
    expectNoCorruption(['sparse', 'over'])
    expect(content('ours')).toBe(before)
  })

  test('the disk is full half-way', () => {
    const before = content('start')
    const prepare = `(echo '[set-state]'; echo 'event = "cluster_alloc"'; echo 'state = "1"'; echo 'new_state = "2"'
      echo '[set-state]'; echo 'event = "cluster_alloc"'; echo 'state = "2"'; echo 'new_state = "3"'
      echo '[inject-error]'; echo 'event = "write_aio"'; echo 'state = "3"'; echo 'errno = "28"') > rules`
    const { ours: outcome } = both(prepare, ['commit', 'over'])
    expect(outcome.stderr).toContain('qemu-img: Block job failed: No space left on device\n')
    expect([outcome.stdout, outcome.status]).toEqual(['', 1])
    expectNoCorruption(['sparse'])
    expect(content('ours')).toBe(before)
  })

  test.each([
    'read_aio',
    'l2_load',
    'l1_update',
    'empty_image_prepare',
    'refblock_alloc',
    'reftable_update',
    'cluster_free',
  ])('the overlay fails: %s', (event) => {
    const before = content('start')
    const options = [
      'driver=qcow2,file.driver=blkdebug,file.image.filename=over',
      `file.inject-error.0.event=${event}`,
      'backing.driver=qcow2,backing.file.driver=file,backing.file.filename=sparse',
    ].join(',')
    const outcomes = both(':', ['commit', '--image-opts', options])
    expect(outcomes.ours).toEqual(outcomes.reference)
    expectNoCorruption(['sparse'])
    // What is left of the overlay may need the repair that its dirty bit announces; its content may not suffer.
    reference(['check', '-q', '-r', 'all', 'over'], inOurs())
    expectNoCorruption(['over'])
    expect(content('ours')).toBe(before)
  })

  test.each(['write_aio', 'l2_update', 'cluster_alloc', 'refblock_update_part'])(
    'convert tells the cause before its consequences: %s',
    (event) => {
      const target = `driver=qcow2,file.driver=blkdebug,file.image.filename=new,file.inject-error.0.event=${event}`
      const prepare = `qemu-img create -q -f qcow2 new 4M; qemu-img create -q -f raw r 4M; qemu-io -f raw -c 'write -P 1 1M 1M' r`
      const outcomes = both(prepare, ['convert', '-m', '1', '-n', '--target-image-opts', 'r', target])
      expect(outcomes.ours).toEqual(outcomes.reference)
    },
  )
})
