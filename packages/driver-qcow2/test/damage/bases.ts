/** Sound images of many shapes, made by ours and by the reference: what the mutations start from. */

import { readFileSync } from 'node:fs'
import { changeDirtyBitmap, createSnapshot } from '@blocklayer/block-core'
import { filled, MemoryStore } from '@blocklayer/block-core/testing'
import { newImage, openDisk } from '../helpers/disk.ts'
import { qemuImg, qemuIo, type TemporaryFolder } from '../helpers/reference.ts'

/** What an image has that a mutation may need. */
export type Part = 'version 3' | 'zeroes' | 'snapshots' | 'bitmaps' | 'compressed' | 'two tables'

/** The shape of an image. */
export interface Base {
  readonly name: string
  readonly maker: 'ours' | 'reference'
  readonly compat: '0.10' | '1.1'
  readonly clusterSize: number
  readonly refcountBits: 1 | 16 | 64
  /** Snapshots or bitmaps. Never both: a repair by the reference forgets all snapshots of an image with bitmaps. */
  readonly with: 'snapshots' | 'bitmaps'
}

/** All shapes; each mutation is done to each image that has what it needs. */
export const bases: readonly Base[] = [
  { name: 'v3-64k', maker: 'ours', compat: '1.1', clusterSize: 65536, refcountBits: 16, with: 'snapshots' },
  { name: 'v3-4k', maker: 'reference', compat: '1.1', clusterSize: 4096, refcountBits: 16, with: 'bitmaps' },
  { name: 'v3-512', maker: 'ours', compat: '1.1', clusterSize: 512, refcountBits: 16, with: 'snapshots' },
  { name: 'v3-4k-one-bit', maker: 'ours', compat: '1.1', clusterSize: 4096, refcountBits: 1, with: 'bitmaps' },
  { name: 'v3-512-one-bit', maker: 'reference', compat: '1.1', clusterSize: 512, refcountBits: 1, with: 'bitmaps' },
  { name: 'v3-512-64-bits', maker: 'reference', compat: '1.1', clusterSize: 512, refcountBits: 64, with: 'snapshots' },
  { name: 'v3-4k-64-bits', maker: 'ours', compat: '1.1', clusterSize: 4096, refcountBits: 64, with: 'bitmaps' },
  { name: 'v3-64k-bitmaps', maker: 'reference', compat: '1.1', clusterSize: 65536, refcountBits: 16, with: 'bitmaps' },
  { name: 'v2-64k', maker: 'reference', compat: '0.10', clusterSize: 65536, refcountBits: 16, with: 'snapshots' },
  { name: 'v2-4k', maker: 'ours', compat: '0.10', clusterSize: 4096, refcountBits: 16, with: 'snapshots' },
]

/** What an image of that shape has. */
export function partsOf(base: Base): ReadonlySet<Part> {
  const parts: Part[] = ['compressed', base.with]
  if (base.compat === '1.1') parts.push('version 3', 'zeroes')
  // One table of 512 bytes maps fewer clusters than the disk has.
  if (base.clusterSize === 512) parts.push('two tables')
  return new Set(parts)
}

/** Guest clusters of every image. */
const guestClusters = 100

/** Makes the image; `folder` is where the reference works. */
export function makeBase(base: Base, folder: TemporaryFolder): Promise<Uint8Array> {
  return base.maker === 'ours' ? byOurs(base) : byReference(base, folder.file(base.name))
}

async function byOurs(base: Base): Promise<Uint8Array> {
  const { clusterSize: size, compat, refcountBits } = base
  const parts = partsOf(base)
  const options = { clusterSize: size, compat, refcountBits }
  const store = new MemoryStore(await newImage(guestClusters * size, options))
  const { disk, close } = await openDisk(store)
  if (parts.has('bitmaps')) {
    const bitmap = { name: 'b0', persistent: true, granularity: 512 }
    await changeDirtyBitmap(disk.root, { type: 'add', ...bitmap })
  }
  await disk.write(0, filled(1, 5 * size))
  if (parts.has('snapshots')) await createSnapshot(disk, { name: 'first' })
  await disk.write(size, filled(2, 2 * size))
  for (const cluster of [8, 9, 10]) await disk.writeCompressed(cluster * size, filled(cluster, size))
  if (parts.has('snapshots')) await createSnapshot(disk, { name: 'second' })
  await disk.write(size, filled(3, size))
  await disk.write(12 * size, filled(4, 4 * size))
  await disk.write(70 * size, filled(5, size))
  if (parts.has('zeroes')) {
    await disk.writeZeroes(14 * size, 2 * size)
    await disk.writeZeroes(20 * size, 2 * size)
  }
  await close()
  return store.bytes()
}

async function byReference(base: Base, path: string): Promise<Uint8Array> {
  const { clusterSize: size, compat, refcountBits } = base
  const parts = partsOf(base)
  const options = `cluster_size=${size},compat=${compat},refcount_bits=${refcountBits}`
  qemuImg('create', '-q', '-f', 'qcow2', '-o', options, path, String(guestClusters * size))
  if (parts.has('bitmaps')) qemuImg('bitmap', '--add', '-g', '512', path, 'b0')
  qemuIo(path, `write -P 1 0 ${5 * size}`)
  if (parts.has('snapshots')) qemuImg('snapshot', '-c', 'first', path)
  const compressed = [8, 9, 10].map((cluster) => `write -c -P ${cluster} ${cluster * size} ${size}`)
  qemuIo(path, `write -P 2 ${size} ${2 * size}`, ...compressed)
  if (parts.has('snapshots')) qemuImg('snapshot', '-c', 'second', path)
  qemuIo(path, `write -P 3 ${size} ${size}`, `write -P 4 ${12 * size} ${4 * size}`, `write -P 5 ${70 * size} ${size}`)
  if (parts.has('zeroes')) qemuIo(path, `write -z ${14 * size} ${2 * size}`, `write -z ${20 * size} ${2 * size}`)
  return new Uint8Array(readFileSync(path))
}
