/**
 * `node memory-process.ts WORK FILE`: does the work on the image in FILE, and prints how much memory the process took at
 * most, in MiB: before it, when the image was open, and in the end.
 */

import { readFileSync } from 'node:fs'
import { createBlockGraph } from '@blocklayer/block-core'
import { random } from '@blocklayer/block-core/testing'
import { file, fileDriver } from '@blocklayer/driver-file'
import { type Qcow2Options, qcow2, qcow2Driver } from '../src/index.ts'

const [work, path] = process.argv.slice(2) as [string, string]

/** Highest resident size so far. */
function peak(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024
}

const small: Qcow2Options = { cacheSize: 2 * 2 ** 20 }
const graph = createBlockGraph({ drivers: [qcow2Driver, fileDriver], implicitOpen: 'deny' })
const bare = peak()
const disk = await graph.open(qcow2({ ...(work === 'read' && small), file: file(path) }), {
  readOnly: true,
  check: work === 'check',
})
const opened = peak()
let result: unknown
if (work === 'check') result = await disk.check()
if (work === 'read') {
  // Every place in another table: with the default size all of them would stay.
  const into = new Uint8Array(512)
  const choose = random(1)
  for (let round = 0; round < 4000; round++) await disk.read(choose.below(disk.length / 512) * 512, into)
}
await graph.close()
console.log(JSON.stringify({ bare, opened, end: peak(), result }))
