/** All that a closed image holds, read through ours: of our images and of the reference's, to be compared. */

import { existsSync } from 'node:fs'
import {
  type BlockBackend,
  createBlockGraph,
  type Diagnostic,
  dirtyBitmapFacts,
  dirtyBitmapOf,
  showSnapshot,
  snapshotsOf,
} from '@blocklayer/block-core'
import type { MemoryFiles } from '@blocklayer/block-core/testing'
import { fileDriver } from '@blocklayer/driver-file'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'
import { type ByteRun, runsOf } from './content.ts'
import { dataFileName } from './layout.ts'

/** Where the files of a side lie. */
export type Place = { readonly files: MemoryFiles } | { readonly folder: string }

/** One internal snapshot. */
export interface SnapshotShown {
  readonly name: string
  readonly content: readonly ByteRun[]
}

/** One persistent bitmap. */
export interface BitmapHeld {
  readonly name: string | undefined
  readonly granularity: number
  readonly recording: boolean
  readonly inconsistent: boolean
  /** Dirty ranges, each as first byte and end. */
  readonly dirty: readonly (readonly [number, number])[]
}

/** What an image is. */
export interface ImageHeld {
  readonly length: number
  readonly content: readonly ByteRun[]
  readonly snapshots: readonly SnapshotShown[]
  readonly bitmaps: readonly BitmapHeld[]
  /** Version, refcount width, and so on, as `info` shows them. */
  readonly specific: object
  /** Clean: all zero. */
  readonly check: { readonly corruptions: number; readonly leaks: number; readonly checkErrors: number }
  /** Complaints. */
  readonly lines: readonly string[]
}

/** A graph that knows the files of `place`, and the name of one of them there. */
export function graphAt(
  place: Place,
  onDiagnostic: (diagnostic: Diagnostic) => void,
): {
  graph: ReturnType<typeof createBlockGraph>
  nameOf: (file: string) => string
} {
  const drivers = [rawDriver, qcow2Driver]
  if ('folder' in place) {
    const graph = createBlockGraph({ drivers: [fileDriver, ...drivers], implicitOpen: 'allow', onDiagnostic })
    return { graph, nameOf: (file) => `${place.folder}/${file}` }
  }
  const graph = createBlockGraph({ drivers: [place.files.driver, ...drivers], implicitOpen: 'allow', onDiagnostic })
  return { graph, nameOf: (file) => `mem:${file}` }
}

/** Reads all. @throws BlockError where it cannot be read */
export async function readHeld(place: Place): Promise<ImageHeld> {
  const lines: string[] = []
  const { graph, nameOf } = graphAt(place, (diagnostic) => lines.push(JSON.stringify(diagnostic)))
  await using _closing = graph
  const options = new Map([
    ['driver', 'qcow2'],
    ['file.driver', 'folder' in place ? 'file' : 'mem'],
    ['file.filename', nameOf('image')],
  ])
  // The image names it from where the reference was played.
  const dataFile = nameOf(dataFileName)
  if (existsSync(dataFile)) options.set('data-file.filename', dataFile)
  const open = (check = false): Promise<BlockBackend> => graph.open(options, { readOnly: true, check })
  const toCheck = await open(true)
  const { corruptions, leaks, checkErrors } = await toCheck.check()
  await toCheck.close()
  const disk = await open()
  const content = await contentOf(disk)
  const names = snapshotsOf(disk).map(({ name }) => name)
  const bitmaps = bitmapsOf(disk)
  const { length } = disk
  const { bitmaps: _, ...specific } = disk.info.specific?.data ?? {}
  await disk.close()
  const snapshots: SnapshotShown[] = []
  for (const name of names) {
    const shown = await open()
    await showSnapshot(shown, { name })
    snapshots.push({ name, content: await contentOf(shown) })
    await shown.close()
  }
  return { length, content, snapshots, bitmaps, specific, check: { corruptions, leaks, checkErrors }, lines }
}

/** What a guest reads. */
export async function contentOf(disk: BlockBackend): Promise<ByteRun[]> {
  const bytes = new Uint8Array(disk.length)
  await disk.read(0, bytes)
  return runsOf(bytes)
}

function bitmapsOf(disk: BlockBackend): BitmapHeld[] {
  // Their order tells which ones were added by one process.
  const facts = dirtyBitmapFacts(disk.root).toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
  return facts.map(({ name, granularity, recording, inconsistent }) => {
    const bitmap = dirtyBitmapOf(disk.root, name ?? '')
    const dirty: [number, number][] = []
    for (let at = bitmap.nextDirty(0); at !== undefined; ) {
      const end = bitmap.nextClean(at) ?? disk.length
      dirty.push([at, end])
      at = bitmap.nextDirty(end)
    }
    return { name, granularity, recording, inconsistent: inconsistent ?? false, dirty }
  })
}
