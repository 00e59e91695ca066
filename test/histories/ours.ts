/** Our side of a history: one graph stays open over many steps, so that caches and what is queued matter. */

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import {
  amendImage,
  applySnapshot,
  type BlockBackend,
  BlockError,
  changeBackingFile,
  changeDirtyBitmap,
  createSnapshot,
  deleteSnapshot,
  dirtyBitmapFacts,
  type FlatOptions,
  snapshotsOf,
} from '@blocklayer/block-core'
import { MemoryFiles } from '@blocklayer/block-core/testing'
import { commitImage } from '@blocklayer/blockjob'
import type { Action, Session, View } from './actions.ts'
import { type AllocationRun, type ByteRun, type MapRun, mergeRuns } from './content.ts'
import { contentOf, graphAt, type ImageHeld, type Place, readHeld } from './facts.ts'
import { creationOptions, dataFileName, type Layout } from './layout.ts'

/** How a step ended. */
export interface Outcome {
  /** Absent: it succeeded. */
  readonly error?: { readonly code: string; readonly message: string }
}

const names = ['image', 'b0', 'b1'] as const

/** The images, and the disk while it is open. */
export class OurSide {
  readonly #layout: Layout
  readonly place: Place
  #open: ReturnType<typeof graphAt> | undefined
  disk!: BlockBackend
  readonly lines: string[] = []
  #zeroesKeptPlace = false
  #session: Session = { unmap: true, tightCaches: false }

  private constructor(layout: Layout, place: Place) {
    this.#layout = layout
    this.place = place
  }

  /** Makes the images. @param folder - for those that lie in files */
  static async create(layout: Layout, folder: string): Promise<OurSide> {
    const side = new OurSide(layout, layout.storage === 'file' ? { folder } : { files: new MemoryFiles() })
    if (layout.storage === 'file') mkdirSync(folder)
    for (const { name, format, length, writes, backing } of layout.backings) {
      await side.#create(name, format, length, { backing: side.#backingOf(backing) })
      await side.#with(name, format, async (disk) => {
        for (const { offset, bytes, pattern } of writes) await disk.write(offset, new Uint8Array(bytes).fill(pattern))
      })
    }
    const backing = side.#backingOf(layout.backing)
    const options = creationOptions(layout)
    const path = side.#dataFilePath()
    const created = path === undefined ? options : { ...options, data_file: path }
    await side.#create('image', 'qcow2', layout.length, { options: created, backing })
    if (path !== undefined) await side.#renameDataFile()
    await side.open()
    return side
  }

  /** Names of data files are relative to where a tool runs, and the folder of the images is not where this one does. */
  #dataFilePath(): string | undefined {
    if (this.#layout.dataFile === 'none' || !('folder' in this.place)) return undefined
    return `${this.place.folder}/${dataFileName}`
  }

  /** As the reference calls it, which is played inside the folder. */
  async #renameDataFile(): Promise<void> {
    const { graph, nameOf } = this.#graph()
    await using _closing = graph
    await amendImage(await graph.open(nameOf('image'), { format: 'qcow2' }), { data_file: dataFileName })
  }

  async #create(name: string, format: string, size: number, more: object = {}): Promise<void> {
    const { graph, nameOf } = this.#graph()
    await using _closing = graph
    await graph.create(format, nameOf(name), { size, ...more })
  }

  async #with(name: string, format: string, use: (disk: BlockBackend) => Promise<void>): Promise<void> {
    const { graph, nameOf } = this.#graph()
    await using _closing = graph
    await use(await graph.open(nameOf(name), { format }))
  }

  #graph(): ReturnType<typeof graphAt> {
    return graphAt(this.place, (diagnostic) => this.lines.push(JSON.stringify(diagnostic)))
  }

  /** Opens the disk for writing. @param session - absent: as before */
  async open(session: Session = this.#session): Promise<void> {
    this.#session = session
    const open = this.#graph()
    const options: FlatOptions = new Map([['driver', 'qcow2']])
    options.set('file.driver', 'folder' in this.place ? 'file' : 'mem')
    options.set('file.filename', open.nameOf('image'))
    const dataFile = this.#dataFilePath()
    if (dataFile !== undefined) options.set('data-file.filename', dataFile)
    if (session.lazyRefcounts !== undefined) options.set('lazy-refcounts', session.lazyRefcounts)
    if (session.tightCaches) {
      options.set('l2-cache-size', 1024)
      options.set('l2-cache-entry-size', 512)
      options.set('refcount-cache-size', 0)
    }
    this.#open = open
    this.disk = await open.graph.open(options, { unmap: session.unmap })
  }

  /** Closes the disk and opens it again. */
  async openAgain(): Promise<void> {
    await this.close()
    await this.open()
  }

  /** @throws what closing met */
  async close(): Promise<void> {
    await this.#open?.graph.close()
    this.#open = undefined
  }

  /** What the next step can choose among. */
  async view(number: number): Promise<View> {
    const { disk } = this
    return {
      layout: this.#layout,
      length: disk.length,
      snapshots: snapshotsOf(disk).map(({ name }) => name),
      bitmaps: dirtyBitmapFacts(disk.root).map(({ name }) => name ?? ''),
      version: disk.info.specific?.data.compat === '0.10' ? 2 : 3,
      session: this.#session,
      zeroesKeptPlace: this.#zeroesKeptPlace,
      allocation: await this.allocation(),
      number,
    }
  }

  /** Does a step. What the world can refuse is its outcome; all else is thrown. */
  async play(action: Action): Promise<Outcome> {
    if (action.kind === 'zeroes' || action.kind === 'truncate') this.#zeroesKeptPlace = true
    try {
      await this.#act(action)
      return {}
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      return { error: { code: error.code, message: error.message } }
    }
  }

  async #act(action: Action): Promise<void> {
    const { disk } = this
    switch (action.kind) {
      case 'write':
        return writeInParts(disk, action)
      case 'zeroes':
        return disk.writeZeroes(action.offset, action.bytes, { mayUnmap: action.unmap })
      case 'discard':
        return disk.discard(action.offset, action.bytes)
      case 'compressed':
        return disk.writeCompressed(action.offset, new Uint8Array(action.bytes).fill(action.pattern))
      case 'flush':
        return disk.flush()
      case 'truncate':
        return disk.truncate(action.length, { preallocation: action.preallocation, exact: true })
      case 'snapshot':
        return createSnapshot(disk, { name: action.name })
      case 'apply':
        return applySnapshot(disk, { name: action.name })
      case 'delete':
        return deleteSnapshot(disk, { name: action.name })
      case 'amend':
        return amendImage(disk, { [action.option]: action.value }, { force: true })
      case 'commit':
        return commitImage(this.#open!.graph, disk)
      case 'rebase':
        return changeBackingFile(disk.root, this.#backingOf(action.backing) ?? {})
      case 'reopen':
        return
      default:
        return changeBitmap(disk, action)
    }
  }

  #backingOf(name: string | undefined): { filename: string; format: string } | undefined {
    const below = this.#layout.backings.find((backing) => backing.name === name)
    return below === undefined ? undefined : { filename: below.name, format: below.format }
  }

  /** What the guest reads now. */
  content(): Promise<ByteRun[]> {
    return contentOf(this.disk)
  }

  /** What the image itself decides. */
  async allocation(): Promise<AllocationRun[]> {
    const runs: AllocationRun[] = []
    for (let start = 0; start < this.disk.length; ) {
      const { allocated, bytes } = await this.disk.isAllocated(start, this.disk.length - start)
      runs.push({ start, bytes, allocated })
      start += bytes
    }
    return mergeRuns(runs)
  }

  /** As `qemu-img map` lists it. */
  async map(): Promise<MapRun[]> {
    const runs: MapRun[] = []
    for await (const { start, bytes, depth, present, zero, data } of this.disk.map()) {
      runs.push({ start, bytes, depth, present, zero, data })
    }
    return runs
  }

  /** All that the closed image holds. */
  held(): Promise<ImageHeld> {
    return readHeld(this.place)
  }

  /** What a possible backing file holds by itself. */
  async backingContent(name: 'b0' | 'b1'): Promise<ByteRun[]> {
    const { format } = this.#layout.backings.find((backing) => backing.name === name)!
    let runs: ByteRun[] = []
    await this.#with(name, format, async (disk) => {
      runs = await contentOf(disk)
    })
    return runs
  }

  /** Copies the closed images into a folder, for the reference to look at. */
  dump(folder: string): void {
    mkdirSync(folder)
    const all = this.#layout.dataFile === 'none' ? names : [...names, dataFileName]
    for (const name of all) {
      if ('folder' in this.place) copyFileSync(`${this.place.folder}/${name}`, `${folder}/${name}`)
      else writeFileSync(`${folder}/${name}`, this.place.files.stores.get(name)!.bytes())
    }
  }
}

async function writeInParts(disk: BlockBackend, action: Extract<Action, { kind: 'write' }>): Promise<void> {
  const { offset, bytes, pattern, parts } = action
  const part = Math.ceil(bytes / parts)
  const writes: Promise<void>[] = []
  for (let at = 0; at < bytes; at += part) {
    // Neighbours in flight together: they share clusters and allocations.
    writes.push(disk.write(offset + at, new Uint8Array(Math.min(part, bytes - at)).fill(pattern)))
  }
  const settled = await Promise.allSettled(writes)
  const failed = settled.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

type BitmapStep = Extract<Action, { kind: `bitmap ${string}` }>

function changeBitmap(disk: BlockBackend, action: BitmapStep): Promise<void> {
  const node = disk.root
  const { name } = action
  switch (action.kind) {
    case 'bitmap add':
      return changeDirtyBitmap(node, { ...action, type: 'add', persistent: true })
    case 'bitmap merge':
      return changeDirtyBitmap(node, { type: 'merge', name, sources: [action.source] })
    case 'bitmap remove':
      return changeDirtyBitmap(node, { type: 'remove', name })
    case 'bitmap clear':
      return changeDirtyBitmap(node, { type: 'clear', name })
    case 'bitmap enable':
      return changeDirtyBitmap(node, { type: 'enable', name })
    case 'bitmap disable':
      return changeDirtyBitmap(node, { type: 'disable', name })
  }
}
