/**
 * What the reference's `qemu-img commit` writes when it empties the overlay, recorded through its own log of writes, and
 * what ours writes to the same images: both are shown every power cut.
 */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CrashOperation,
  type Exploration,
  exploreCrashes,
  type Journal,
  journalOfLog,
  MemoryStore,
  type Recording,
  recordOperation,
  viewOf,
} from '@blocklayer/block-core/testing'
import { readLog } from '@blocklayer/driver-blklogwrites'
import { mustSucceed, run } from '../../lib/workspace.ts'
import { openChain, type Qcow2Subject } from '../qcow2-subject.ts'
import { plainOpen } from '../table.ts'

/** An overlay, all of whose data its base has already. */
export interface CommitLayout {
  readonly name: string
  /** Options of `qemu-img create -o`, for both images. */
  readonly options: string
  /** Bytes of a cluster. */
  readonly cluster: number
  /** L1 tables move when a disk grows: then guest data comes to lie where the table was. */
  readonly moves: boolean
  readonly snapshot: boolean
}

const layout = (name: string, cluster: number, more: Partial<CommitLayout> = {}): CommitLayout => ({
  name,
  options: `cluster_size=${cluster}`,
  cluster,
  moves: false,
  snapshot: false,
  ...more,
})

/** Five layouts: the fast way, with the L1 table where it was and moved, and both reasons for the plain way. */
export const commitLayouts: readonly CommitLayout[] = [
  layout('4 KiB clusters', 4096),
  layout('L1 table moved', 512, { moves: true }),
  layout('L1 table moved, lazy refcounts', 512, { options: 'cluster_size=512,lazy_refcounts=on', moves: true }),
  layout('internal snapshot', 4096, { snapshot: true }),
  layout('version 2', 4096, { options: 'cluster_size=4096,compat=0.10' }),
]

/** What both tools leave at power cuts. */
export interface CommitComparison {
  readonly layout: CommitLayout
  readonly reference: Exploration
  readonly ours: Exploration
}

/** Commits the images of the layout with both, and looks at every state. Needs the reference's tools. */
export async function compareCommits(commitLayout: CommitLayout, folder: string): Promise<CommitComparison> {
  makeImages(commitLayout, folder)
  const start = readFileSync(join(folder, 'overlay'))
  const journal = await referenceJournal(folder)
  const base = new Uint8Array(readFileSync(join(folder, 'base')))
  const operation = emptying(commitLayout.name, [new Uint8Array(start), base])
  const before = await viewBefore(operation)
  const recording: Recording = {
    journal: {
      disks: [
        { name: 'overlay', start: new Uint8Array(start) },
        { name: 'base', start: base },
      ],
      entries: journal.entries,
    },
    before,
    after: before,
  }
  const options = { seed: 1, exhaustive: 4096, violationsMax: Number.POSITIVE_INFINITY }
  return {
    layout: commitLayout,
    reference: await exploreCrashes(operation, recording, options),
    ours: await exploreCrashes(operation, await recordOperation(operation), options),
  }
}

/** Emptying, on disks that hold what the reference's commit had before it emptied. */
function emptying(name: string, disks: readonly Uint8Array[]): CrashOperation<Qcow2Subject> {
  return {
    name,
    diskNames: ['overlay', 'base'],
    prepare: async () => disks,
    open: (stores, options) => openChain(stores, options),
    run: (image, guest) => guest.act(() => image.disk.makeEmpty()),
  }
}

async function viewBefore(operation: CrashOperation<Qcow2Subject>): Promise<Recording['before']> {
  const stores = (await operation.prepare()).map((content) => new MemoryStore(content))
  const image = await operation.open(stores, { ...plainOpen, readOnly: true })
  try {
    return await viewOf(image)
  } finally {
    await image.close()
  }
}

/** The base is full of one pattern, the overlay has the same one in some clusters. */
function makeImages({ options, cluster, moves, snapshot }: CommitLayout, folder: string): void {
  const img = (...args: string[]) => mustSucceed(args.join(' '), run('qemu-img', args, folder))
  const write = (image: string, offset: number, bytes: number) => {
    const command = `write -P 17 ${offset} ${bytes}`
    mustSucceed(command, run('qemu-io', ['-c', command, '-f', 'qcow2', join(folder, image)]))
  }
  img('create', '-q', '-f', 'qcow2', '-o', options, 'base', String(12 * cluster))
  write('base', 0, 12 * cluster)
  img('create', '-q', '-f', 'qcow2', '-o', options, '-b', 'base', '-F', 'qcow2', 'overlay')
  write('overlay', 0, cluster)
  // One L2 table holds cluster / 8 entries; an L1 table of one cluster as many again.
  if (moves) img('resize', '-q', 'overlay', String((cluster / 8) ** 2 * cluster + cluster))
  // One by one: the place where the L1 table was is a single cluster, which longer runs would pass over.
  for (const at of [1, 2, 3]) write('overlay', at * cluster, cluster)
  if (!snapshot) return
  img('snapshot', '-c', 'one', 'overlay')
  // What the snapshot has as well is not freed: only this is.
  for (const at of [1, 6]) write('overlay', at * cluster, cluster)
}

/** Commits, with a log of all that reaches the overlay's file. */
async function referenceJournal(folder: string): Promise<Journal> {
  const start = new Uint8Array(readFileSync(join(folder, 'overlay')))
  writeFileSync(join(folder, 'log'), '')
  const file = { driver: 'file', filename: 'overlay' }
  const log = { driver: 'file', filename: 'log' }
  const name = `json:${JSON.stringify({ driver: 'qcow2', file: { driver: 'blklogwrites', file, log } })}`
  mustSucceed('commit', run('qemu-img', ['commit', '-q', name], folder))
  const bytes = new Uint8Array(readFileSync(join(folder, 'log')))
  truncateSync(join(folder, 'log'))
  return await journalOfLog(start, (await readLog(bytes)).entries())
}
