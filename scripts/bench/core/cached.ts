/** What a read costs that never leaves memory: the graph's own work. */
import { type BlockBackend, createBlockGraph, type NodeSpec } from '@blocklayer/block-core'
import { MemoryFiles, MemoryStore, memory } from '@blocklayer/block-core/testing'
import { qcow2, qcow2Driver } from '@blocklayer/driver-qcow2'
import { raw } from '@blocklayer/driver-raw'
import { median } from '../measure.ts'

const size = 4096
const diskBytes: number = 4 * 1024 * 1024
const count = 100_000

/** Prints processor time per 4 KiB read, for longer and longer ways down. */
export async function benchCached(runs: number): Promise<void> {
  console.log(
    `reads of 4 KiB in memory, one at a time, ${runs} runs of ${count} in turn, medians in µs of processor time`,
  )
  const files = new MemoryFiles()
  await using graph = createBlockGraph({ drivers: [files.driver, qcow2Driver], implicitOpen: 'deny' })
  await graph.create('qcow2', 'mem:disk', { size: diskBytes })
  const stored: NodeSpec = { driver: files.driver, options: { filename: 'disk' } }
  const disks: readonly (readonly [string, BlockBackend])[] = [
    ['memory', await graph.open(memory(new MemoryStore(diskBytes)))],
    ['raw over memory', await graph.open(raw({ file: memory(new MemoryStore(diskBytes)) }))],
    ['qcow2 over memory', await graph.open(qcow2({ file: stored, backing: null }))],
  ]
  for (const [, disk] of disks) await disk.write(0, new Uint8Array(diskBytes).fill(1))
  const store = new MemoryStore(diskBytes)
  const copies: number[] = []
  const costs: number[][] = disks.map(() => [])
  for (let i = 0; i <= runs; i++) {
    const copy = await cost(async (offset, into) => store.read(offset, into))
    if (i > 0) copies.push(copy)
    for (const [d, [, disk]] of disks.entries()) {
      const each = await cost((offset, into) => disk.read(offset, into))
      if (i > 0) costs[d]!.push(each)
    }
  }
  console.log(`  ${'an async copy, no graph'.padEnd(24)} ${median(copies).toFixed(2)}`)
  for (const [d, [name]] of disks.entries()) console.log(`  ${name.padEnd(24)} ${median(costs[d]!).toFixed(2)}`)
}

/** Microseconds of processor time per read, in user and system mode, on all threads. */
async function cost(readAt: (offset: number, into: Uint8Array) => Promise<void>): Promise<number> {
  const into = new Uint8Array(size)
  const before = process.cpuUsage()
  for (let i = 0; i < count; i++) await readAt((i * size) % diskBytes, into)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}
