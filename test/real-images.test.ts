// Disks as people have them, each through convert, commit, rebase and compare with our tools: the root of a Debian system, a
// disk with a partition table, an image with snapshots, and a file system that was changed through qemu-io. The reference and
// e2fsck say whether what comes out is right.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cliPath, ensureBuilt, ensureCli, isInstalled, mustSucceed, root, run } from '../scripts/lib/workspace.ts'
import { makeRootFilesystem, partitionTable } from './recipes/disks.ts'

const isPossible = ['qemu-img', 'qemu-io', 'mke2fs'].every(isInstalled)
const partitionStart = 2 ** 20

let folder: string
let io: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-real-'))
  if (!isPossible) return
  io = ensureBuilt('qemu-io-cli', join(root, 'apps/qemu-io-cli/dist/qemu-io.js'))
  ensureCli()
  const programs = [
    '/usr/bin/bash',
    '/usr/bin/tar',
    '/usr/bin/dpkg',
    '/usr/lib/x86_64-linux-gnu/perl-base',
    '/usr/share/perl5',
  ]
  makeRootFilesystem(join(folder, 'root.ext4'), 64, programs)
})
afterAll(() => rmSync(folder, { recursive: true }))

function img(...args: string[]): string {
  return mustSucceed(`qemu-img ${args.join(' ')}`, run(process.execPath, [cliPath, ...args], folder)).stdout
}

function ourIo(image: string, ...commands: string[]): void {
  const args = commands.flatMap((command) => ['-c', command])
  const { stdout } = mustSucceed('qemu-io', run(process.execPath, [io, ...args, image], folder))
  expect(stdout).not.toContain('failed')
}

function theirs(program: string, ...args: string[]): string {
  return mustSucceed(`${program} ${args.join(' ')}`, run(program, args, folder)).stdout
}

/**
 * `source` through convert, commit, rebase and compare; `source` itself does not change.
 *
 * @param writes - qemu-io commands that stand for a guest's work
 * @returns the raw file that has what the last image has
 */
function through(name: string, source: string, format: string, writes: readonly string[]): string {
  mkdirSync(join(folder, name))
  const at = (file: string): string => join(name, file)
  // What is to come out, by the reference alone.
  theirs('qemu-img', 'convert', '-f', format, '-O', 'raw', source, at('expected.raw'))
  theirs('qemu-io', '-f', 'raw', ...writes.flatMap((command) => ['-c', command]), at('expected.raw'))

  img('convert', '-f', format, '-O', 'qcow2', source, at('base.qcow2'))
  img('convert', '-c', '-f', format, '-O', 'qcow2', source, at('packed.qcow2'))
  expect(img('compare', '-f', format, '-F', 'qcow2', source, at('packed.qcow2'))).toBe('Images are identical.\n')
  img('create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', 'base.qcow2', at('top.qcow2'))
  ourIo(at('top.qcow2'), ...writes)
  copyFileSync(join(folder, at('top.qcow2')), join(folder, at('moved.qcow2')))

  // The overlay moves to another base of the same content, and then to none.
  img('rebase', '-f', 'qcow2', '-b', 'packed.qcow2', '-F', 'qcow2', at('moved.qcow2'))
  // And the work goes into the base.
  img('commit', '-q', at('top.qcow2'))
  for (const image of ['base.qcow2', 'top.qcow2', 'moved.qcow2']) expectSame(at(image), at('expected.raw'))
  img('rebase', '-f', 'qcow2', '-b', '', at('moved.qcow2'))
  rmSync(join(folder, at('packed.qcow2')))
  expectSame(at('moved.qcow2'), at('expected.raw'))
  img('convert', '-f', 'qcow2', '-O', 'raw', at('moved.qcow2'), at('result.raw'))
  return at('result.raw')
}

function expectSame(image: string, expected: string): void {
  expect(img('compare', '-f', 'qcow2', '-F', 'raw', image, expected)).toBe('Images are identical.\n')
  theirs('qemu-img', 'compare', '-f', 'qcow2', '-F', 'raw', image, expected)
  theirs('qemu-img', 'check', '-q', image)
}

/** What e2fsck finds in the file system, which it does not change. */
function expectSound(filesystem: string): void {
  theirs('e2fsck', '-fn', filesystem)
}

describe.skipIf(!isPossible && process.env.CI === undefined)('real disks (needs qemu-img, qemu-io, e2fsprogs)', () => {
  test('the root of a Debian system', () => {
    // Blocks that belong to no file are written: the file system stays what it was.
    const [free] = freeRuns('root.ext4', 512)
    const result = through('debian', 'root.ext4', 'raw', [`write -P 0x51 ${free! * 1024} 256k`])
    expectSound(result)
    expect(theirs('debugfs', '-R', 'cat /etc/debian_version', result)).toBe(readFileSync('/etc/debian_version', 'utf8'))
  })

  test('a disk with a partition table', () => {
    const filesystem = readFileSync(join(folder, 'root.ext4'))
    const disk = new Uint8Array(partitionStart + filesystem.length + partitionStart)
    disk.set(partitionTable(partitionStart / 512, filesystem.length / 512))
    disk.set(filesystem, partitionStart)
    writeFileSync(join(folder, 'disk.raw'), disk)
    const end = partitionStart + filesystem.length
    const result = through('partitions', 'disk.raw', 'raw', [`write -P 7 ${end} 64k`, 'write -P 9 512k 4k'])
    const after = readFileSync(join(folder, result))
    expect(after.subarray(0, 512).equals(disk.subarray(0, 512))).toBe(true)
    writeFileSync(join(folder, 'partition.ext4'), after.subarray(partitionStart, end))
    expectSound('partition.ext4')
  })

  test('an image with snapshots', () => {
    theirs('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', 'root.ext4', 'snapshots.qcow2')
    theirs('qemu-img', 'snapshot', '-c', 'first', 'snapshots.qcow2')
    theirs('qemu-io', '-c', 'write -P 1 8M 4M', '-c', 'discard 20M 1M', 'snapshots.qcow2')
    img('snapshot', '-c', 'second', 'snapshots.qcow2')
    ourIo('snapshots.qcow2', 'write -P 2 10M 4M')
    through('snapshots', 'snapshots.qcow2', 'qcow2', ['write -P 3 12M 4M', 'write -z 30M 2M'])
    // The snapshots are what they were, for either tool.
    img('convert', '-l', 'first', '-O', 'raw', 'snapshots.qcow2', 'first.raw')
    theirs('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', 'first.raw', 'root.ext4')
    img('snapshot', '-a', 'second', 'snapshots.qcow2')
    ourIo('snapshots.qcow2', 'read -P 1 8M 4M', 'read -P 0 20M 1M')
    theirs('qemu-img', 'check', '-q', 'snapshots.qcow2')
  })

  test('a file whose blocks are changed through qemu-io', () => {
    const block = Number(theirs('debugfs', '-R', 'bmap /etc/passwd 0', 'root.ext4'))
    const result = through('edited', 'root.ext4', 'raw', [`write -P 0x78 ${block * 1024} 512`])
    expectSound(result)
    const before = readFileSync('/etc/passwd')
    const length = Math.min(512, before.length)
    expect(theirs('debugfs', '-R', 'cat /etc/passwd', result).slice(0, length)).toBe('x'.repeat(length))
  })
})

/** First blocks of runs of at least `blocks` free blocks of 1 KiB. */
function freeRuns(filesystem: string, blocks: number): number[] {
  const listed = [...theirs('dumpe2fs', filesystem).matchAll(/Free blocks: (.*)/g)].flatMap(([, runs]) =>
    runs!.split(', '),
  )
  const runs = listed.map((run_) => run_.split('-').map(Number))
  return runs.filter(([first, last]) => last !== undefined && last - first! >= blocks).map(([first]) => first!)
}
