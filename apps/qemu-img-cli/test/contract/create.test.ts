// Proves that create checks, prints and makes what the reference does.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasReference, needsReference, ours, shell } from '../support/tools.ts'
import { runTable } from './run-table.ts'

runTable('create', [
  'create --object secret,id=s0,data=a -f qcow2 x 1M',
  'create --object secret,data=a x 1M',
  'create --object secret,id=s,data=a,keyid=k x 1M',
  'create --object secret,id=s,data=a,iv=AA x 1M',
  'create --object throttle-group,id=g x 1M',
  'create --object throttle-group,id=g,limits.bps-total=1000 x 1M',
  'create --object throttle-group,id=g,x-bps-total=1000 x 1M',
  'create --object throttle-group,help x 1M',
  'create --object throttle-group x 1M',
  'create --object throttle-group,id=g,limits.foo=1 x 1M',
  'create --object throttle-group,id=g,limits.bps-total=a x 1M',
  'create --object throttle-group,id=g,limits.bps-total=-1 x 1M',
  'create --object throttle-group,id=g,x-bps-total=-1 x 1M',
  'create --object throttle-group,id=g,x-iops-size=-1,x-bps-total=5 x 1M',
  'create --object throttle-group,id=g,x-bps-total=9223372036854775808 x 1M',
  'create --object throttle-group,id=g,x-bps-total-max-length=4294967296 x 1M',
  'create --object throttle-group,id=g,limits.bps-total-max=5 x 1M',
  'create --object throttle-group,id=g,limits.bps-total=5,limits.bps-read=1 x 1M',
  'create --object throttle-group,id=g --object throttle-group,id=g x 1M',
  'create --object foo,id=a x 1M',
  'create -f raw x 1M',
  'create x 1M',
  'create -f raw x 513',
  'create -f raw x 0',
  'create -f raw /dev/null 0',
  'create -f raw /dev/null 1M',
  'create -f raw -o preallocation=full x 1M',
  'create -f raw -o preallocation=falloc x 1M',
  'create -f file x 1M',
  'create -f qcow2 x 1M',
  'create -f qcow2 x 1000',
  'create -f qcow2 x 0',
  'create -f qcow2 x 1.5G',
  'create -f qcow2 x 64T',
  'create -q -f qcow2 x 1M',
  'create -f qcow2 file:x 1M',
  'create -f qcow2 -o compat=0.10 x 1M',
  'create -f qcow2 -o compat=v3 x 1M',
  'create -f qcow2 -o cluster_size=4k x 1M',
  'create -f qcow2 -o cluster_size=512 x 10M',
  'create -f qcow2 -o cluster_size=2M x 10M',
  'create -f qcow2 -o cluster_size=4k -o lazy_refcounts=on x 1M',
  'create -f qcow2 -o cluster_size=64k,cluster_size=4k x 1M',
  'create -f qcow2 -o lazy_refcounts x 1M',
  'create -f qcow2 -o compression_type=zstd x 1M',
  'create -f qcow2 -o compression_type=zlib x 1M',
  'create -f qcow2 -o compression_type=zstd,compat=0.10 x 1M',
  'create -f qcow2 -o nolazy_refcounts x 1M',
  'create -f qcow2 -o refcount_bits=1 x 1M',
  'create -f qcow2 -o refcount_bits=0x10 x 10M',
  'create -f qcow2 -o refcount_bits=010 x 10M',
  'create -f qcow2 -o cluster_size=0x1000 x 10M',
  `create -f qcow2 ${'x'.repeat(300)} 1M`,
  `create -f raw ${'x'.repeat(300)} 1M`,
  'create -f qcow2 -o refcount_bits=64 x 1M',
  'create -f qcow2 -o size=2M x',
  'create -f qcow2 -o nocow=on x 1M',
  'create -f qcow2 -o nocow=on,cluster_size=4k x 1M',
  'create -f qcow2 -o nocow=off x 1M',
  'create -f qcow2 -o nocow x 1M',
  'create -f qcow2 -o nonocow x 1M',
  'create -f raw -o nocow=on x 1M',
  'create -f file -o nocow=on x 1M',
  'create -f qcow2 -o nocow=on,extent_size_hint=1M x 1M',
  'create -f qcow2 -b base -F qcow2 x',
  'create -f qcow2 -b base -F qcow2 x 2M',
  'create -f qcow2 -b r -F raw x',
  'create -f qcow2 -o backing_file=base,backing_fmt=qcow2 x',
  'create -f qcow2 -b sbase -F qcow2 sub/x',
  'create -f qcow2 -u -b gone -F qcow2 x 1M',
  'create -f qcow2 -u -b gone -F qcow2 x',
  'create -f qcow2 -u -b gone x 1M',
  'create -f qcow2 q 1M',
  'create -f raw q 1M',
  'create -u x 1M',
])

runTable('create, refused', [
  'create',
  'create -f qcow2',
  'create x',
  'create -f qcow2 x 1M extra',
  'create x foo',
  'create x 1k2',
  "create x ''",
  'create x 16E',
  'create x 8E',
  'create x 1.5',
  'create x -1',
  'create x 1M -o size=2M',
  'create -f foo x 1M',
  'create -f blkdebug x 1M',
  'create foo:x 1M',
  'create -f qcow2 blkdebug::x 1M',
  'create -f qcow2 -b missing x',
  'create -f qcow2 -b base x',
  'create -f qcow2 -b r x',
  'create -f qcow2 -b base -F foo x',
  'create -f qcow2 -u -b base -F foo x 1M',
  "create -f qcow2 -u -b base -F '' x 1M",
  'create -f qcow2 -u -b base -F foo -o compat=foo x 1M',
  'create -f qcow2 -u -b base -F foo -o preallocation=foo,cluster_size=123 x 1M',
  'create -f qcow2 -u -b base -F vmdk x 1M',
  'create -f qcow2 -o backing_fmt=foo x 1M',
  'create -f qcow2 -u -b base -F foo -o data_file=y x 1M',
  'create -f qcow2 -b x x',
  "create -f qcow2 -b '' x",
  'create -b base x 1M',
  'create -F qcow2 x 1M',
  'create -f qcow2 -F qcow2 x 1M',
  'create -f qcow2 -o cluster_size=foo x 1M',
  'create -f qcow2 -o cluster_size=16E x 1M',
  'create -f qcow2 -o cluster_size=123 x 1M',
  'create -f qcow2 -o cluster_size=4M x 1M',
  'create -f qcow2 -o lazy_refcounts=foo x 1M',
  'create -f qcow2 -o nocow=foo x 1M',
  'create -f qcow2 -o compat=0.10,lazy_refcounts=on x 1M',
  'create -f qcow2 -o compat=foo x 1M',
  'create -f qcow2 -o refcount_bits=foo x 1M',
  'create -f qcow2 -o refcount_bits=7 x 1M',
  'create -f qcow2 -o compat=0.10,refcount_bits=8 x 1M',
  'create -f qcow2 -o preallocation=foo x 1M',
  'create -f qcow2 -o foo=1 x 1M',
  'create -f raw -o cluster_size=4k x 1M',
  'create -f qcow2 -o help=on x 1M',
  'create -f qcow2 -o , x 1M',
  'create -f qcow2 -o ,a=b x 1M',
  'create -f qcow2 -o a=b, x 1M',
  "create -f qcow2 -o '' x 1M",
  'create -f qcow2 x 1E',
  'create -f qcow2 nodir/x 1M',
  'create -f qcow2 sub 1M',
  'create -f raw sub 1M',
  'create -f raw nodir/x 1M',
  'create -f raw -o size=0x1k x',
  'create --image-opts x 1M',
])

runTable('create, help', [
  'create -o help -f raw x',
  'create -o help x a b c',
  "create -f raw -o '?' x",
  'create -f foo -o help',
  'create -f blkdebug -o help',
  'create -f raw -o help foo:x',
  'create -f file -o help',
  'create -o help',
  'create -f raw -o help',
])

describe.skipIf(!hasReference)(needsReference('known differences'), () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'blocklayer-create-'))
    shell('qemu-img create -q -f qcow2 there 1M', { cwd: folder })
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  // The reference deletes an image that was there before, although nothing was ever written.
  test('an option that is refused leaves an image that exists alone', () => {
    const before = readFileSync(join(folder, 'there'))
    const { stderr } = ours(['create', '-q', '-f', 'qcow2', '-o', 'cluster_size=123', 'there', '1M'], { cwd: folder })
    expect(stderr).toBe('qemu-img: there: Cluster size must be a power of two between 512 and 2048k\n')
    expect(readFileSync(join(folder, 'there'))).toEqual(before)
  })

  // The reference leaves an empty file.
  // A file system may hold as much: then both make it.
  test('an image that is too large for its file system is told to be too large', () => {
    const line = ['create', '-f', 'raw', 'vast', '20T']
    const theirs = shell(`qemu-img ${line.join(' ')} 2>&1 || true; rm -f vast`, { cwd: folder })
    const own = ours(line, { cwd: folder })
    expect(`${own.stdout}${own.stderr}`).toBe(theirs)
    rmSync(join(folder, 'vast'), { force: true })
  })

  test('nothing is left of a raw image that could not be made', () => {
    const { stderr } = ours(['create', '-q', '-o', 'preallocation=metadata', 'new', '1M'], { cwd: folder })
    expect(stderr).toBe('qemu-img: new: Unsupported preallocation mode: metadata\n')
    expect(existsSync(join(folder, 'new'))).toBe(false)
  })

  test('a backing format for a format that has no backing files', () => {
    expect(ours(['create', '-F', 'raw', 'new', '1M'], { cwd: folder }).stderr).toBe(
      "qemu-img: new: Backing file format not supported for file format 'raw'\n",
    )
  })
})
