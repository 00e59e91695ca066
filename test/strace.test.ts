// Proves, with strace, that our library asks the kernel for what the reference asks it for: flags of the open descriptor, locks,
// writes, holes, zeroes, and every fdatasync, in the same order, in every cache mode; and that new files are made alike.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled, reference, root } from '../scripts/lib/workspace.ts'
import { callsOn } from './strace/calls.ts'

const missing = !process.env.CI && !(isInstalled('strace') && isInstalled('qemu-io'))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-strace-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function place(name: string): string {
  const path = join(folder, name)
  mkdirSync(path)
  writeFileSync(join(path, 'image'), new Uint8Array(0x10_0000).fill(7))
  return path
}

/** What `session.ts` does, in the reference's words. */
const session = [
  'write 0 4k',
  'flush',
  'discard 0 64k',
  'write -z 64k 64k',
  'write -z -u 64k 64k',
  'writev -P 1 128k 512 1536',
  'read 0 4k',
]

const node = join(root, 'node_modules/.bin/node')
const script = join(root, 'test/strace/session.ts')
const maker = join(root, 'test/strace/create.ts')

describe.skipIf(missing)('beside the reference (skipped without strace or qemu-io)', () => {
  test.each(['writeback', 'none', 'writethrough', 'directsync', 'unsafe'])('cache mode %s', (mode) => {
    const commands = session.flatMap((command) => ['-c', command])
    const io = ['qemu-io', '-f', 'raw', '-t', mode, '-d', 'unmap', ...commands, 'image']
    const theirs = callsOn('image', io, place(`theirs-${mode}`))
    expect(theirs[0]).toMatch(mode === 'none' || mode === 'directsync' ? /O_RDWR\|O_DIRECT/ : /O_RDWR$/)
    for (const aio of ['threads', 'sync']) {
      const command = [node, '--conditions=@blocklayer/source', script, 'image', mode, aio]
      expect(callsOn('image', command, place(`ours-${mode}-${aio}`))).toEqual(theirs)
    }
  })

  // With `full` both write zeroes, the reference in calls without an offset.
  test.each(['off', 'falloc'])('a new file with preallocation=%s', (preallocation) => {
    const make = ['create', '-q', '-f', 'raw', '-o', `preallocation=${preallocation}`, 'new', '3000k']
    const theirs = callsOn('new', [...reference.command, ...make], place(`theirs-new-${preallocation}`))
    const command = [node, '--conditions=@blocklayer/source', maker, 'new', preallocation]
    expect(callsOn('new', command, place(`ours-new-${preallocation}`))).toEqual(theirs)
  })
})
