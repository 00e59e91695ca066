// Proves what this program does otherwise than the reference, on purpose; docs/differences.md has the reasons.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasReference, needsReference, ours, shell } from './support/tools.ts'

describe.skipIf(!hasReference)(needsReference('on purpose'), () => {
  let cwd: string
  beforeAll(() => {
    cwd = mkdtempSync(join(tmpdir(), 'blocklayer-differences-'))
    shell(
      `qemu-img create -q -f raw r 1M; qemu-io -f raw -c 'write -P 1 64k 128k' -c 'write -P 2 512k 4k' r
       qemu-img create -q -f qcow2 q 1M
       qemu-img create -q -f qcow2 -u -b loop2 -F qcow2 loop1 1M
       qemu-img create -q -f qcow2 -u -b loop1 -F qcow2 loop2 1M
       qemu-img create -q -f qcow2 -u -b ./self -F qcow2 self 1M`,
      { cwd },
    )
  })
  afterAll(() => rmSync(cwd, { recursive: true }))

  // The reference opens the files of such a chain until memory is used up.
  test.each([
    ['map', 'loop1', 'Could not open backing file: Could not open backing file: '],
    ['check', 'loop1', 'Could not open backing file: Could not open backing file: '],
    ['map', 'self', 'Could not open backing file: '],
  ])('%s of a chain that bites its own tail ends: %s', (command, image, prefix) => {
    const again = image === 'self' ? './self' : image
    expect(ours([command, image], { cwd })).toEqual({
      stdout: '',
      stderr: `qemu-img: Could not open '${image}': ${prefix}Backing file '${again}' creates an infinite loop.\n`,
      status: 1,
    })
  })

  const failing = (event: string): string =>
    `driver=qcow2,file.driver=blkdebug,file.image.filename=q,file.inject-error.0.event=${event}`

  // The reference ends with status 0, although the image lacks what was written.
  test.each(['flush_to_disk', 'flush_to_os'])('what could not be written at the end fails the command: %s', (event) => {
    shell('qemu-img create -q -f qcow2 q 1M', { cwd })
    expect(ours(['convert', '-n', '-t', 'writeback', '--target-image-opts', 'r', failing(event)], { cwd })).toEqual({
      stdout: '',
      stderr:
        'qemu-img: Failed to flush the L2 table cache: Input/output error\n' +
        'qemu-img: Failed to flush the refcount block cache: Input/output error\n' +
        'qemu-img: Error while closing the image: Input/output error\n',
      status: 1,
    })
  })

  // The reference prints one line for each request that was in flight.
  test('the first of several errors is told', () => {
    const source = `driver=raw,file.driver=blkdebug,file.image.filename=r,file.inject-error.0.event=none,file.inject-error.0.iotype=read`
    expect(ours(['convert', '--image-opts', source, 'x'], { cwd })).toEqual({
      stdout: '',
      stderr: 'qemu-img: error while reading at byte 0: Input/output error\n',
      status: 1,
    })
  })

  // The reference has other words than for creation, or does not look at all.
  test.each([
    ['preallocation=foo', "Parameter 'preallocation' does not accept value 'foo'"],
    ['compat=foo', "Parameter 'version' does not accept value 'foo'"],
    ['compression_type=foo', "Parameter 'compression-type' does not accept value 'foo'"],
  ])('measure -o %s is refused as creation refuses it', (options, message) => {
    const { stderr, status } = ours(['measure', '-O', 'qcow2', '-o', options, '--size', '1M'], { cwd })
    expect([stderr, status]).toEqual([`qemu-img: ${message}\n`, 1])
  })

  // The reference waits for ever, and divides by zero.
  test.each([
    ['-d 0 -c 1 q', 'Invalid queue depth specified'],
    ['-f raw -c 1 empty', 'Failed request: Input/output error'],
  ])('bench %s ends', (line, message) => {
    shell('truncate -s 0 empty', { cwd })
    const { stderr, status } = ours(['bench', ...line.split(' ')], { cwd })
    expect([stderr, status]).toEqual([`qemu-img: ${message}\n`, 1])
  })

  test('secrets are checked but encrypted ones are not read', () => {
    const { stderr } = ours(['info', '--object', 'secret,id=k,data=x', '--object', 'secret,id=s,data=x,keyid=k', 'r'], {
      cwd,
    })
    expect(stderr).toBe('qemu-img: Encrypted secrets are not implemented\n')
  })
})

test('fewer than ten differences are listed', () => {
  const rows = readFileSync(join(import.meta.dirname, '../../../docs/differences.md'), 'utf8').split('\n')
  const ours = rows.filter((row) => row.startsWith('| ') && row.includes('`apps/qemu-img-cli/test/'))
  console.log(`differences of qemu-img: ${ours.length}`)
  expect(ours.length).toBeGreaterThan(0)
  expect(ours.length).toBeLessThan(10)
})
