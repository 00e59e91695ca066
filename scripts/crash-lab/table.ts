/** What an entry of the operations table is, and how it becomes an operation of the lab on one shape of image. */
import {
  type CrashOperation,
  type Guest,
  MemoryStore,
  stamped,
  type SubjectOpenOptions,
} from '@blocklayer/block-core/testing'
import type { Qcow2CreateOptions, Qcow2Options } from '@blocklayer/driver-qcow2'
import { newImage } from '../../packages/driver-qcow2/test/helpers/disk.ts'
import {
  bitmapFacts,
  headerFacts,
  isHarmlessInVersion2,
  openChain,
  type Qcow2Subject,
  type Qcow2SubjectOptions,
  snapshotFacts,
} from './qcow2-subject.ts'
import { type Shape, shapes } from './shapes.ts'

/** What a step of an entry works with. */
export interface Bench {
  readonly image: Qcow2Subject
  readonly guest: Guest
  readonly shape: Shape
  /** Bytes of a cluster. */
  readonly cluster: number
}

/** One line of the table. */
export interface TableEntry {
  /** Says which on a command line: `overwrite-in-snapshot`. */
  readonly name: string
  readonly title: string
  /** Shapes that it is tried on; default: all. */
  readonly on?: (shape: Shape) => boolean
  /** Guest clusters of the disk; default 12. */
  readonly clusters?: number | ((shape: Shape) => number)
  /** The image has a backing file with data of its own, of the same length. */
  readonly backed?: boolean
  /** Guest clusters of the image when it is made, where it grows later; default: `clusters`. */
  readonly initialClusters?: number
  /** Guest clusters of the backing file, where it is shorter than the image comes to be; default: `clusters`. */
  readonly baseClusters?: number
  /** Guest clusters of the backing file that have data, from the first on; default: all. */
  readonly baseDataClusters?: number
  /** There is a third disk, another base that differs from the first in some clusters. */
  readonly otherBase?: boolean
  /** The guest's data is in a file of its own, the last disk; `raw`: one that shows the guest's disk by itself. */
  readonly dataFile?: true | 'raw'
  /** Runtime options. */
  readonly qcow2?: Qcow2Options
  readonly facts?: readonly ('snapshots' | 'bitmaps' | 'header')[]
  /** `false`: nothing is flushed between the operation and the close. */
  readonly flushes?: boolean
  /** No failing requests: crash states only. */
  readonly crashesOnly?: boolean
  /** Prepares the image, with nothing recorded. */
  before?(bench: Bench): Promise<void>
  /** Changes the bytes of the prepared disks, as damage does. */
  alter?(disks: readonly Uint8Array[]): readonly Uint8Array[]
  /** Leaves the prepared image open, so that a lazy one stays dirty. */
  readonly leftOpen?: boolean
  run(bench: Bench): Promise<void>
}

/** An entry on one shape. */
export interface LabCase extends CrashOperation<Qcow2Subject> {
  readonly entry: TableEntry
  readonly shape: Shape
}

/** Names of what an image over another records: the base, and the other one. */
export const backingName = 'base'
export const otherBaseName = 'other'

/** Name that an image records of the file with its data. */
const dataFileName = 'data'

/** Salt of the data in every base. */
export const baseSalt = 0xba5e

/** All cases of the entry, named `entry/shape`. */
export function casesOf(entry: TableEntry, how: Pick<Qcow2SubjectOptions, 'node'> = {}): LabCase[] {
  return shapes.filter((shape) => entry.on?.(shape) ?? true).map((shape) => labCase(entry, shape, how))
}

function labCase(entry: TableEntry, shape: Shape, given: Pick<Qcow2SubjectOptions, 'node'>): LabCase {
  const how = subjectOptions(entry, given)
  let prepared: Promise<readonly Uint8Array[]> | undefined
  return {
    entry,
    shape,
    name: `${entry.name}/${shape.name}`,
    diskNames: diskNames(entry),
    ...(entry.dataFile === undefined ? {} : { imageCount: dataDiskOf(entry) }),
    ...(entry.dataFile === 'raw' ? { plainDisks: [dataDiskOf(entry)] } : {}),
    ...(entry.flushes === undefined ? {} : { flushes: entry.flushes }),
    ...(shape.version === 3 ? {} : { isHarmless: (line, all) => isHarmlessInVersion2(line, all, shape.clusterSize) }),
    prepare: () => (prepared ??= prepare(entry, shape)),
    open: (disks, options) => openChain(disks, options, how),
    run: (image, guest) => entry.run({ image, guest, shape, cluster: shape.clusterSize }),
  }
}

function diskNames({ backed, otherBase, dataFile }: TableEntry): string[] {
  const images = backed === true ? ['overlay', backingName] : ['image']
  return [...images, ...(otherBase === true ? [otherBaseName] : []), ...(dataFile === undefined ? [] : [dataFileName])]
}

/** Number of the disk with the guest's data: it comes behind all images. */
function dataDiskOf({ backed }: TableEntry): number {
  return backed === true ? 2 : 1
}

/** The base that the overlay's header names. */
function recordedChain([top]: readonly MemoryStore[]): readonly number[] {
  const head = new Uint8Array(512)
  top!.read(0, head)
  const view = new DataView(head.buffer)
  const nameAt = Number(view.getBigUint64(8))
  const name = new TextDecoder().decode(head.subarray(nameAt, nameAt + view.getUint32(16)))
  return name === otherBaseName ? [0, 2] : [0, 1]
}

function subjectOptions(entry: TableEntry, given: Pick<Qcow2SubjectOptions, 'node'>): Qcow2SubjectOptions {
  const how: Qcow2SubjectOptions = {
    ...given,
    ...(entry.qcow2 === undefined ? {} : { qcow2: entry.qcow2 }),
    ...(entry.otherBase === true ? { chain: recordedChain } : {}),
    ...(entry.dataFile === undefined ? {} : { dataDisk: dataDiskOf(entry) }),
  }
  const kinds = entry.facts ?? []
  if (kinds.length === 0) return how
  const facts = async (subject: Qcow2Subject): Promise<Readonly<Record<string, string>>> => ({
    ...(kinds.includes('snapshots') ? await snapshotFacts(subject, how) : {}),
    ...(kinds.includes('bitmaps') ? bitmapFacts(subject) : {}),
    ...(kinds.includes('header') ? await headerFacts(subject) : {}),
  })
  return { ...how, facts }
}

/** Bytes of the guest's disk. */
export function sizeOf({ clusters = 12 }: TableEntry, shape: Shape): number {
  return (typeof clusters === 'number' ? clusters : clusters(shape)) * shape.clusterSize
}

async function prepare(entry: TableEntry, shape: Shape): Promise<readonly Uint8Array[]> {
  const size = sizeOf(entry, shape)
  const backed = entry.backed === true
  const initial = entry.initialClusters === undefined ? size : entry.initialClusters * shape.clusterSize
  const create = { ...shape.create, ...dataFileCreate(entry) }
  const top = new MemoryStore(
    await newImage(initial, create, backed ? { filename: backingName, format: 'qcow2' } : undefined),
  )
  const baseSize = entry.baseClusters === undefined ? size : entry.baseClusters * shape.clusterSize
  const disks = backed ? [top, await baseOf(baseSize, shape, { dataClusters: entry.baseDataClusters })] : [top]
  if (entry.dataFile !== undefined) disks.push(new MemoryStore(initial))
  if (entry.before !== undefined) await runBefore(entry, shape, disks)
  if (entry.otherBase === true) disks.push(await baseOf(size, shape, { differing: 2 }))
  const contents = disks.map((disk) => disk.bytes())
  return entry.alter?.(contents) ?? contents
}

function dataFileCreate({ dataFile }: TableEntry): Qcow2CreateOptions {
  if (dataFile === undefined) return {}
  return { dataFile: dataFileName, ...(dataFile === 'raw' ? { dataFileRaw: true } : {}) }
}

interface BaseOptions {
  /** How many clusters from the fourth on differ from the plain base; default 0. */
  readonly differing?: number
  readonly dataClusters?: number | undefined
}

async function baseOf(size: number, shape: Shape, options: BaseOptions = {}): Promise<MemoryStore> {
  const store = new MemoryStore(await newImage(size, shape.create))
  const opened = await openChain([store], plainOpen)
  const { clusterSize } = shape
  const { differing = 0, dataClusters = size / clusterSize } = options
  await opened.disk.write(0, stamped(0, dataClusters * clusterSize, baseSalt))
  if (differing > 0) await opened.disk.write(4 * clusterSize, stamped(0, differing * clusterSize, 4))
  await opened.close()
  return store
}

/** As whoever uses an image opens it. */
export const plainOpen: SubjectOpenOptions = { readOnly: false, check: false, image: 0 }

async function runBefore(entry: TableEntry, shape: Shape, disks: readonly MemoryStore[]): Promise<void> {
  const image = await openChain(disks, plainOpen, {
    ...(entry.qcow2 === undefined ? {} : { qcow2: entry.qcow2 }),
    ...(entry.dataFile === undefined ? {} : { dataDisk: dataDiskOf(entry) }),
  })
  const { disk } = image
  // Nothing is recorded yet: the guest's handle only passes on.
  const guest: Guest = {
    write: (offset, data) => disk.write(offset, data),
    writeZeroes: (offset, bytes) => disk.writeZeroes(offset, bytes),
    writeCompressed: (offset, data) => disk.writeCompressed(offset, data),
    flush: () => disk.flush(),
    act: (act) => act(),
  }
  await entry.before?.({ image, guest, shape, cluster: shape.clusterSize })
  await disk.flush()
  if (entry.leftOpen !== true) await image.close()
}
