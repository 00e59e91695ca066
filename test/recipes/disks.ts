/** Disks that recipes begin with. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { mustSucceed, run } from '../../scripts/lib/workspace.ts'

/** What of this machine's own root a small one holds: configuration, programs, and the package manager's list. */
const parts = [
  '/etc/passwd',
  '/etc/fstab',
  '/etc/debian_version',
  '/etc/apt',
  '/usr/bin/env',
  '/usr/bin/dash',
  '/usr/bin/perl',
  '/var/lib/dpkg/status',
]

/** Makes the ext4 file system `path` of `mib` MiB with a part of this machine's root in it, in blocks of 1 KiB. */
export function makeRootFilesystem(path: string, mib: number, more: readonly string[] = []): void {
  const tree = mkdtempSync(join(tmpdir(), 'blocklayer-rootfs-'))
  try {
    for (const part of [...parts, ...more]) {
      if (!existsSync(part)) continue
      mkdirSync(join(tree, dirname(part)), { recursive: true })
      cpSync(part, join(tree, part), { recursive: true, verbatimSymlinks: true, filter: isPlain })
    }
    const options = [
      '-q',
      '-t',
      'ext4',
      '-b',
      '1024',
      '-d',
      tree,
      '-U',
      '6b1f1a0e-0000-4000-8000-000000000001',
      '-E',
      'hash_seed=6b1f1a0e-0000-4000-8000-000000000002',
    ]
    mustSucceed('mke2fs', run('mke2fs', [...options, path, `${mib}M`]))
  } finally {
    rmSync(tree, { recursive: true })
  }
}

/** Sockets, pipes and devices of a living system stay where they are, and so does what only root may read. */
function isPlain(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined || stats.isDirectory() || (stats.isFile() && (stats.mode & 0o004) !== 0)
}

/** A master boot record with one Linux partition. @param start - in sectors, as is `sectors` */
export function partitionTable(start: number, sectors: number): Uint8Array {
  const record = new Uint8Array(512)
  const view = new DataView(record.buffer)
  record[446] = 0x80
  record[450] = 0x83
  view.setUint32(454, start, true)
  view.setUint32(458, sectors, true)
  view.setUint16(510, 0xaa55, true)
  return record
}
