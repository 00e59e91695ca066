/** A process to be watched: makes the file named on its command line with a kind of preallocation. */
import { createBlockGraph } from '@blocklayer/block-core'
import { createFileDriver } from '@blocklayer/driver-file'

const [filename = '', preallocation = 'off'] = process.argv.slice(2)
await using graph = createBlockGraph({ drivers: [createFileDriver({ aio: 'sync' })], implicitOpen: 'deny' })
await graph.create('file', filename, { size: 3000 * 1024, options: new Map([['preallocation', preallocation]]) })
