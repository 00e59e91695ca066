/**
 * The process that is killed: opens the image in its folder and works on it until the end, which comes without notice.
 *
 * Arguments: folder, index of the layout, seed, first stamp. Each line of its output is a `ReportLine`; a line is in the pipe
 * before the operation begins, and again before the next one does.
 */
import { writeSync } from 'node:fs'
import {
  amendImage,
  applySnapshot,
  type BlockBackend,
  BlockError,
  type BlockGraph,
  changeBackingFile,
  changeDirtyBitmap,
  createBlockGraph,
  createSnapshot,
  deleteSnapshot,
  dirtyBitmapFacts,
  snapshotsOf,
} from '@blocklayer/block-core'
import { random } from '@blocklayer/block-core/testing'
import { commitImage } from '@blocklayer/blockjob'
import { fileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { chooseOperation } from './choose.ts'
import { layouts, type Operation, type OperationKind, type ReportLine } from './operation.ts'

const [folder = '.', layoutIndex = '0', seed = '1', firstStamp = '1'] = process.argv.slice(2)

interface Open {
  readonly graph: BlockGraph
  readonly disk: BlockBackend
}

async function open(): Promise<Open> {
  const graph = createBlockGraph({ drivers: [fileDriver, qcow2Driver], implicitOpen: 'allow' })
  return { graph, disk: await graph.open('image.qcow2', { format: 'qcow2', unmap: true }) }
}

function report(line: ReportLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

async function work(): Promise<never> {
  process.chdir(folder)
  const choose = random(Number(seed))
  let opened = await open()
  for (let stamp = Number(firstStamp); ; stamp++) {
    const { disk } = opened
    const operation = chooseOperation({
      random: choose,
      layout: layouts[Number(layoutIndex)]!,
      sectors: disk.length / 512,
      snapshots: snapshotsOf(disk).map(({ name }) => name),
      bitmaps: dirtyBitmapFacts(disk.root).flatMap(({ name }) => name ?? []),
      stamp,
    })
    report({ begun: operation })
    try {
      opened = await run(opened, operation)
      report({ done: true })
    } catch (error) {
      const isRefusal = error instanceof BlockError && refusable.includes(operation.kind)
      report(
        isRefusal ? { refused: error.message } : { failed: error instanceof Error ? `${error.stack}` : `${error}` },
      )
    }
  }
}

/**
 * A downgrade with features that the old version lacks, a snapshot under bitmaps or with counts of one bit, a compressed
 * write over a cluster that is there, …: the image says no, and shows what it did before.
 */
const refusable: readonly OperationKind[] = [
  'amend',
  'snapshot',
  'apply',
  'resize',
  'compressed',
  'add bitmap',
  'remove bitmap',
]

async function run(opened: Open, operation: Operation): Promise<Open> {
  const { disk, graph } = opened
  switch (operation.kind) {
    case 'flush':
      await disk.flush()
      return opened
    case 'reopen':
      await graph.close()
      return open()
    case 'commit':
      await commitImage(graph, disk, {})
      await graph.close()
      return open()
    case 'repair':
      await disk.check({ repair: 'all' })
      return opened
    case 'empty':
      await disk.makeEmpty()
      return opened
    case 'rename backing': {
      const name = disk.root.backingReference?.filename === 'base.qcow2' ? './base.qcow2' : 'base.qcow2'
      await changeBackingFile(disk.root, { filename: name, format: 'qcow2' })
      return opened
    }
    case 'resize':
      await disk.truncate(operation.sectors * 512)
      return opened
    case 'amend':
      await amendImage(disk, operation.options)
      return opened
    default:
      await runSmall(disk, operation)
      return opened
  }
}

type Small = Extract<Operation, { readonly runs: unknown } | { readonly name: string }>

async function runSmall(disk: BlockBackend, operation: Small): Promise<void> {
  if ('runs' in operation) {
    await Promise.all(operation.runs.map(({ first, count }) => content(disk, operation, first * 512, count * 512)))
  } else if (operation.kind === 'snapshot') await createSnapshot(disk, { name: operation.name })
  else if (operation.kind === 'apply') await applySnapshot(disk, { name: operation.name })
  else if (operation.kind === 'delete') await deleteSnapshot(disk, { name: operation.name })
  else {
    const type = operation.kind === 'add bitmap' ? 'add' : 'remove'
    await changeDirtyBitmap(disk.root, { type, name: operation.name, ...(type === 'add' ? { persistent: true } : {}) })
  }
}

function content(
  disk: BlockBackend,
  operation: Extract<Operation, { readonly runs: unknown }>,
  offset: number,
  bytes: number,
): Promise<void> {
  if (operation.kind === 'zero') return disk.writeZeroes(offset, bytes)
  if (operation.kind === 'unmap') return disk.writeZeroes(offset, bytes, { mayUnmap: true })
  if (!('stamp' in operation)) return disk.discard(offset, bytes)
  const data = new Uint8Array(new Uint32Array(bytes / 4).fill(operation.stamp).buffer)
  return operation.kind === 'compressed' ? disk.writeCompressed(offset, data) : disk.write(offset, data)
}

await work()
