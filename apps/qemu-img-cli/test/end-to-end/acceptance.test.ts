// Proves the commit scenario of the specification byte for byte: which images change, which do not change at all, and
// what the chain reads afterwards.

import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasReference, needsReference, ours, reference, shell } from '../support/tools.ts'

const committed = { stdout: 'Image committed.\n', stderr: '', status: 0 }

describe.skipIf(!hasReference)(needsReference('a chain of three'), () => {
  let root: string
  let cwd: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'blocklayer-accept-'))
    cwd = join(root, 'now')
    shell(
      `mkdir start; cd start
       qemu-img create -q -f qcow2 base 1M;                 qemu-io -c 'write -P 1 0 1M' base
       qemu-img create -q -f qcow2 -b base -F qcow2 mid;    qemu-io -c 'write -P 2 0 256k' mid
       qemu-img create -q -f qcow2 -b mid -F qcow2 top;     qemu-io -c 'write -P 3 0 64k' -c 'write -z 512k 64k' top`,
      { cwd: root },
    )
  })
  beforeEach(() => {
    rmSync(cwd, { recursive: true, force: true })
    cpSync(join(root, 'start'), cwd, { recursive: true })
  })
  afterAll(() => rmSync(root, { recursive: true }))

  /** Names of the images that are not what they were. */
  function changed(): string[] {
    const bytes = (folder: string, name: string): Buffer => readFileSync(join(root, folder, name))
    return ['base', 'mid', 'top'].filter((name) => !bytes('start', name).equals(bytes('now', name)))
  }

  function expectSound(): void {
    for (const name of ['base', 'mid', 'top']) expect(reference(['check', name], { cwd }).status).toBe(0)
  }

  test('commit top: into mid, and top is emptied', () => {
    expect(ours(['commit', 'top'], { cwd })).toEqual(committed)
    expect(changed()).toEqual(['mid', 'top'])
    expect(statSync(join(cwd, 'top')).size).toBe(262144)
    expectSound()
    const reads = ['-P 3 0 64k', '-P 2 64k 192k', '-P 1 256k 256k', '-P 0 512k 64k', '-P 1 576k 448k']
    for (const read of reads) shell(`qemu-io -r -c 'read ${read}' mid | grep -v 'Pattern verification failed'`, { cwd })
    const extent = (start: number, length: number, depth: number, kind: string): string =>
      `{ "start": ${start}, "length": ${length}, "depth": ${depth}, "present": true, ${kind}}`
    const data = (offset: number): string => `"zero": false, "data": true, "offset": ${offset}`
    const zero = '"zero": true, "data": false'
    const map = (deeper: number): string =>
      `[${[
        extent(0, 262144, deeper, data(327680)),
        extent(262144, 262144, deeper + 1, data(589824)),
        extent(524288, 65536, deeper, zero),
        extent(589824, 458752, deeper + 1, data(917504)),
      ].join(',\n')}]\n`
    expect(ours(['map', '--output=json', 'mid'], { cwd }).stdout).toBe(map(0))
    expect(ours(['map', '--output=json', 'top'], { cwd }).stdout).toBe(map(1))
    expect(reference(['map', '--output=json', 'top'], { cwd }).stdout).toBe(map(1))
  })

  test('commit -d top: top stays as it is, byte for byte', () => {
    expect(ours(['commit', '-d', 'top'], { cwd })).toEqual(committed)
    expect(changed()).toEqual(['mid'])
    expectSound()
  })

  test('commit -b mid top: a named base means that top is kept', () => {
    expect(ours(['commit', '-b', 'mid', 'top'], { cwd })).toEqual(committed)
    expect(changed()).toEqual(['mid'])
    expectSound()
  })

  test('commit -b base top: past the image in the middle', () => {
    expect(ours(['commit', '-b', 'base', 'top'], { cwd })).toEqual(committed)
    expect(changed()).toEqual(['base'])
    expectSound()
  })

  test('commit -b zz top: nothing changes', () => {
    expect(ours(['commit', '-b', 'zz', 'top'], { cwd })).toEqual({
      stdout: '',
      stderr: "qemu-img: Did not find 'zz' in the backing chain of 'top'\n",
      status: 1,
    })
    expect(changed()).toEqual([])
  })

  test('an overlay that is empty already is rewritten, its base is not', () => {
    shell('qemu-img create -q -f qcow2 -b base -F qcow2 top', { cwd })
    expect(statSync(join(cwd, 'top')).size).toBe(196616)
    expect(ours(['commit', 'top'], { cwd })).toEqual(committed)
    expect(changed()).toEqual(['top'])
    expect(statSync(join(cwd, 'top')).size).toBe(262144)
    expectSound()
  })

  test('progress runs from 0 to 100, then the verdict', () => {
    const { stdout } = ours(['commit', '-p', 'top'], { cwd })
    expect(stdout).toMatch(
      /^ {4}\(0\.00\/100%\)\r( {4}\(\d+\.\d\d\/100%\)\r)* {4}\(100\.00\/100%\)\r\nImage committed\.\n$/,
    )
  })
})
