/** A process to be watched: opens the raw image named on its command line in a cache mode, and does one of everything. */
import { createBlockGraph } from '@blocklayer/block-core'
import { createFileDriver } from '@blocklayer/driver-file'
import { rawDriver } from '@blocklayer/driver-raw'

const [filename = '', mode = 'writeback', aio = 'threads'] = process.argv.slice(2)
const cache = {
  direct: mode === 'none' || mode === 'directsync',
  noFlush: mode === 'unsafe',
  writeThrough: mode === 'writethrough' || mode === 'directsync',
}
const KiB = 1024

await using graph = createBlockGraph({
  drivers: [createFileDriver({ aio: aio === 'sync' ? 'sync' : 'threads' }), rawDriver],
  implicitOpen: 'deny',
})
await using disk = await graph.open(filename, { format: 'raw', unmap: true, cache })
await disk.write(0, new Uint8Array(4 * KiB).fill(0xcd))
await disk.flush()
await disk.discard(0, 64 * KiB)
await disk.writeZeroes(64 * KiB, 64 * KiB)
await disk.writeZeroes(64 * KiB, 64 * KiB, { mayUnmap: true })
await disk.write(128 * KiB, [new Uint8Array(512).fill(1), new Uint8Array(1536).fill(2)])
await disk.read(0, new Uint8Array(4 * KiB))
