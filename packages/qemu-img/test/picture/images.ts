/** Images to be drawn. */

import { type BlockBackend, type BlockGraph, createBlockGraph, createSnapshot } from '@blocklayer/block-core'
import { filled, MemoryFiles, MemoryStore } from '@blocklayer/block-core/testing'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'

/** Kibibyte. */
export const KiB = 1024

/** Mebibyte. */
export const MiB: number = 1024 * 1024

/** A name that would be markup, if anybody let it, and a trick with the reading direction. */
export const hostileName = `x"><script>alert('1')</script>&\u202e`

/** A graph with files in memory. */
export function newGraph(): { readonly graph: BlockGraph; readonly files: MemoryFiles } {
  const files = new MemoryFiles()
  const drivers = [files.driver, rawDriver, qcow2Driver]
  return { graph: createBlockGraph({ drivers, implicitOpen: 'allow' }), files }
}

/** An open chain of two images, 4 MiB: data, zeroes, compressed clusters, a snapshot, all under hostile names. */
export async function chainOfTwo(graph: BlockGraph, files: MemoryFiles): Promise<BlockBackend> {
  const [base, top] = [`mem:base${hostileName}`, `mem:top${hostileName}`]
  await graph.create('qcow2', base, { size: 4 * MiB })
  const below = await graph.open(base, { format: 'qcow2' })
  await below.write(0, filled(1, MiB))
  await below.close()
  await graph.create('qcow2', top, { backing: { filename: base, format: 'qcow2' } })
  const disk = await graph.open(top, { format: 'qcow2' })
  await disk.write(512 * KiB, filled(2, 256 * KiB))
  await createSnapshot(disk, { name: hostileName })
  await disk.write(512 * KiB, filled(3, 64 * KiB))
  await disk.writeCompressed(2 * MiB, filled(4, 64 * KiB))
  await disk.writeZeroes(3 * MiB, 128 * KiB)
  await disk.flush()
  if (!files.stores.has(`top${hostileName}`)) throw new Error('the image is not where it should be')
  return disk
}

/** A raw disk of these bytes. */
export async function rawDisk(graph: BlockGraph, files: MemoryFiles, bytes: Uint8Array): Promise<BlockBackend> {
  files.stores.set('raw', new MemoryStore(bytes))
  return await graph.open('mem:raw', { format: 'raw', readOnly: true })
}
