// Proves what QEMU 10 prints otherwise than 7.2, chosen by BLOCKLAYER_COMPAT; expectations are from spec/qemu-img.md,
// section 24, because the reference that is installed is 7.2.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseCompat } from '../src/compat.ts'
import { maskDiskSize } from './contract/run-table.ts'
import { hasReference, needsReference, type Outcome, ours, shell } from './support/tools.ts'

test('which releases there are', () => {
  expect([undefined, '', '7.2', '10'].map(parseCompat)).toEqual(['7.2', '7.2', '7.2', '10'])
  expect(() => parseCompat('9')).toThrow("BLOCKLAYER_COMPAT must be 7.2 or 10, not '9'")
})

describe.skipIf(!hasReference)(needsReference('as QEMU 10'), () => {
  let cwd: string
  beforeAll(() => {
    cwd = mkdtempSync(join(tmpdir(), 'blocklayer-compat-'))
    shell(
      `qemu-img create -q -f qcow2 base 1M; qemu-io -c 'write -P 1 0 1M' base
       qemu-img create -q -f qcow2 -b base -F qcow2 top; qemu-io -c 'write -P 2 0 64k' top
       qemu-img create -q -f qcow2 q 1M; qemu-io -c 'write -P 1 64k 128k' q; qemu-img convert -c -O qcow2 q packed
       qemu-img create -q -f raw r 1M; qemu-img snapshot -c s q`,
      { cwd },
    )
  })
  afterAll(() => rmSync(cwd, { recursive: true }))

  const new10 = (...args: string[]): Outcome => ours(args, { cwd, env: { BLOCKLAYER_COMPAT: '10' } })

  test('another release is refused', () => {
    const { stderr, status } = ours(['info', 'q'], { cwd, env: { BLOCKLAYER_COMPAT: '8' } })
    expect([stderr, status]).toEqual(["qemu-img: BLOCKLAYER_COMPAT must be 7.2 or 10, not '8'\n", 1])
  })

  test('map tells what is compressed', () => {
    expect(new10('map', '--output=json', 'packed').stdout).toBe(
      '[{ "start": 0, "length": 65536, "depth": 0, "present": false, "zero": true, "data": false, "compressed": false},\n' +
        '{ "start": 65536, "length": 131072, "depth": 0, "present": true, "zero": false, "data": true, "compressed": true},\n' +
        '{ "start": 196608, "length": 851968, "depth": 0, "present": false, "zero": true, "data": false, "compressed": false}]\n',
    )
    expect(ours(['map', '--output=json', 'packed'], { cwd }).stdout).not.toContain('compressed')
  })

  test('info shows the nodes below', () => {
    const { stdout } = new10('info', 'r')
    expect(maskDiskSize(stdout).replace(/^ {4}disk size: .*$/m, '    disk size: SIZE')).toBe(
      'image: r\nfile format: raw\nvirtual size: 1 MiB (1048576 bytes)\ndisk size: SIZE\n' +
        "Child node '/file':\n    filename: r\n    protocol type: file\n    file length: 1 MiB (1048576 bytes)\n    disk size: SIZE\n",
    )
    const filter = 'driver=raw,file.driver=qcow2,file.file.filename=top'
    const nested = new10('info', '--image-opts', filter).stdout
    expect(nested).toContain("Child node '/file':\n    image: top\n    file format: qcow2\n")
    expect(nested).toContain("Child node '/file/file':\n    filename: top\n    protocol type: file\n")
    expect(JSON.parse(new10('info', '--output=json', 'r').stdout)).toMatchObject({
      children: [{ name: 'file', info: { children: [], filename: 'r', format: 'file', 'virtual-size': 1048576 } }],
    })
    expect(JSON.parse(ours(['info', '--output=json', 'r'], { cwd }).stdout)).not.toHaveProperty('children')
  })

  test('the table of snapshots', () => {
    const [, head, row] = new10('snapshot', '-l', 'q').stdout.split('\n')
    expect(head).toBe('ID      TAG               VM_SIZE                DATE        VM_CLOCK     ICOUNT')
    expect(row).toMatch(/^1 {7}s {21}0 B \d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}0000:00:00\.000 {10}0$/)
  })

  test('a snapshot that cannot be made', () => {
    expect(new10('snapshot', '-c', 's', '--image-opts', 'driver=raw,file.filename=r').stderr).toBe(
      "qemu-img: Could not create snapshot 's': Operation not supported\n",
    )
  })

  test('rebase compresses what it copies', () => {
    shell('qemu-img create -q -f qcow2 other 1M; cp top mine; qemu-img convert -O raw top before', { cwd })
    const { status, stderr } = new10('rebase', '-c', '-b', 'other', '-F', 'qcow2', 'mine')
    expect([status, stderr]).toEqual([0, ''])
    expect(shell('qemu-img check mine; qemu-img compare before mine', { cwd })).toContain('93.75% compressed clusters')
    expect(ours(['rebase', '-c', '-b', 'other', '-F', 'qcow2', 'mine'], { cwd }).stderr).toContain(
      "unrecognized option '-c'",
    )
  })
})
