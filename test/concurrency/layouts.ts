/** The disks that the test runs on: raw and qcow2, over memory and over files, whole sectors and odd bytes. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BlockBackend, type BlockGraph, createBlockGraph, type NodeSpec } from '@blocklayer/block-core'
import { MemoryFiles, MemoryStore, memory, type Random } from '@blocklayer/block-core/testing'
import { copyOnRead } from '@blocklayer/driver-copy-on-read'
import { file, fileDriver } from '@blocklayer/driver-file'
import { type Qcow2CreateOptions, qcow2, qcow2Driver } from '@blocklayer/driver-qcow2'
import { raw, rawDriver } from '@blocklayer/driver-raw'
import type { CellKind } from './cells.ts'
import { delay } from './delay-driver.ts'

/** Where and how a disk is stored. */
export interface Layout {
  readonly format: 'raw' | 'qcow2'
  readonly storage: 'memory' | 'file'
  /** `odd`: requests begin and end anywhere, and the storage only takes multiples of 4096 bytes. */
  readonly cells: CellKind
}

/** Every combination. */
export const layouts: readonly Layout[] = (['raw', 'qcow2'] as const).flatMap((format) =>
  (['memory', 'file'] as const).flatMap((storage) =>
    (['sectors', 'odd'] as const).map((cells): Layout => ({ format, storage, cells })),
  ),
)

/** For the names of tests and for people. */
export function layoutName({ format, storage, cells }: Layout): string {
  return `${format} over ${storage}, ${cells === 'sectors' ? 'whole sectors' : 'odd bytes over 4096-byte blocks'}`
}

/** What a qcow2 image is like: small clusters share tables, large ones are written in parts. */
interface Shape {
  readonly create: Qcow2CreateOptions
  /** Unallocated clusters show a backing file that is full of data. */
  readonly hasBacking: boolean
  /** What is read from the backing file is copied up by every read, beside the writes. */
  readonly copyOnRead: boolean
}

/** Block size of the storage below odd requests. */
const storageAlign = 4096

/** A disk that is open now, and how it is closed and opened again. */
export class LayoutDisk implements AsyncDisposable {
  disk!: BlockBackend
  /** Says what the seed made of the layout. */
  readonly description: string
  readonly #graph: BlockGraph
  readonly #image: NodeSpec
  readonly #node: NodeSpec
  readonly #folder: string | undefined

  private constructor(parts: { graph: BlockGraph; image: NodeSpec; shape: Shape | undefined; folder?: string }) {
    this.#graph = parts.graph
    this.#image = parts.image
    this.#node = parts.shape?.copyOnRead === true ? unmapping(copyOnRead({ file: parts.image })) : parts.image
    this.#folder = parts.folder
    this.description = JSON.stringify(parts.shape ?? {})
  }

  /** Makes a new disk that shows `content`, or zeroes where its images cannot (all but overlays), and opens it. */
  static async create(
    layout: Layout,
    content: Uint8Array,
    choose: Random,
  ): Promise<{ opened: LayoutDisk; shown: boolean }> {
    const files = new MemoryFiles()
    const folder = layout.storage === 'file' ? await mkdtemp(join(tmpdir(), 'blocklayer-concurrency-')) : undefined
    const graph = createBlockGraph({
      drivers: [files.driver, fileDriver, rawDriver, qcow2Driver],
      implicitOpen: 'deny',
    })
    const shape = layout.format === 'qcow2' ? shapeOf(choose) : undefined
    const name = folder === undefined ? 'mem:disk' : join(folder, 'disk')
    await graph.create(layout.format, name, { size: content.length, ...shape?.create })
    const stored = folder === undefined ? { driver: files.driver, options: { filename: 'disk' } } : file(name)
    const held = delay(stored, layout.cells === 'odd' ? { choose, align: storageAlign } : { choose })
    const below = raw({ file: delay(memory(new MemoryStore(content)), { choose }) })
    // Tables come and go all the time: the smallest caches there are.
    const tight = { l2CacheSize: 1024, l2CacheEntrySize: 512, refcountCacheSize: 0 }
    const backing = shape?.hasBacking === true ? below : null
    const image = unmapping(layout.format === 'raw' ? raw({ file: held }) : qcow2({ file: held, backing, ...tight }))
    const opened = new LayoutDisk({ graph, image, shape, ...(folder === undefined ? {} : { folder }) })
    opened.disk = await graph.open(opened.#node)
    return { opened, shown: backing !== null }
  }

  /** Closes the disk, so that all must be in its storage, has its metadata checked, and opens it again. */
  async reopen(): Promise<void> {
    await this.disk.close()
    const image = await this.#graph.open(this.#image)
    if (image.root.driverName === 'qcow2') {
      const { corruptions, leaks, checkErrors } = await image.check()
      if (corruptions + leaks + checkErrors > 0) {
        throw new Error(`the image has ${corruptions} corruptions, ${leaks} leaks and ${checkErrors} check errors`)
      }
    }
    await image.close()
    this.disk = await this.#graph.open(this.#node)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#graph.close()
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true })
  }
}

function unmapping(node: NodeSpec): NodeSpec {
  return { ...node, common: { discard: 'unmap' } }
}

function shapeOf(choose: Random): Shape {
  const clusterSize = choose.pick([512, 4096, 16384, 65536])
  const hasBacking = choose.chance(0.5)
  const extendedL2 = clusterSize >= 16384 && choose.chance(0.5)
  // In version 2 a discard shows the backing file again, which is none of the values that a request has.
  const isOld = !hasBacking && !extendedL2 && choose.chance(0.3)
  const create = isOld
    ? { clusterSize, compat: '0.10' }
    : { clusterSize, extendedL2, refcountBits: choose.pick([1, 16, 64]), lazyRefcounts: choose.chance(0.3) }
  return { create, hasBacking, copyOnRead: hasBacking && choose.chance(0.5) }
}
