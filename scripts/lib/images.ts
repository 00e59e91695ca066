/** Images with chosen content, made through the packages' own API: a machine without QEMU can run the scripts too. */
import { closeSync, openSync, readSync } from 'node:fs'
import { type BlockBackend, createBlockGraph } from '@blocklayer/block-core'
import { fileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'

const chunkBytes = 64 * 1024

/** What `writeDifferences` needs of an image. */
export type Writable = Pick<BlockBackend, 'length' | 'write' | 'writeZeroes' | 'flush'>

/** Opens a qcow2 image for writing, with its chain, for as long as `use` runs. */
export async function withImage<T>(path: string, use: (image: BlockBackend) => Promise<T>): Promise<T> {
  await using graph = createBlockGraph({ drivers: [fileDriver, rawDriver, qcow2Driver], implicitOpen: 'allow' })
  await using image = await graph.open(path, { format: 'qcow2' })
  return await use(image)
}

/**
 * Writes into the image every 64 KiB in which the raw file `after` differs from the raw file `before`.
 *
 * @returns the number of bytes written; the files must be of one length, a multiple of 64 KiB
 */
export async function writeDifferences(image: Writable, before: string, after: string): Promise<number> {
  const oldFile = openSync(before, 'r')
  const newFile = openSync(after, 'r')
  try {
    const [oldChunk, newChunk] = [Buffer.alloc(chunkBytes), Buffer.alloc(chunkBytes)]
    const zeroes = Buffer.alloc(chunkBytes)
    let written = 0
    for (let offset = 0; offset < image.length; offset += chunkBytes) {
      readSync(oldFile, oldChunk, 0, chunkBytes, offset)
      readSync(newFile, newChunk, 0, chunkBytes, offset)
      if (oldChunk.equals(newChunk)) continue
      if (newChunk.equals(zeroes)) await image.writeZeroes(offset, chunkBytes)
      else await image.write(offset, newChunk)
      written += chunkBytes
    }
    await image.flush()
    return written
  } finally {
    closeSync(oldFile)
    closeSync(newFile)
  }
}
