/** Images of random shapes, and how they are opened. */

import { createBlockGraph, type Diagnostic } from '@blocklayer/block-core'
import { type MemoryStore, memory, type Random, randomPace } from '@blocklayer/block-core/testing'
import type { Qcow2CreateOptions } from '../../src/features/create/options.ts'
import { type Qcow2Options, qcow2, qcow2Driver } from '../../src/index.ts'
import type { OpenDisk, OpenDiskOptions } from '../helpers/disk.ts'

/** What an image is like. */
export interface Shape {
  readonly create: Qcow2CreateOptions
  readonly clusterSize: number
  /** Of the disk. */
  readonly sectors: number
  readonly backing: boolean
  /** The guest's data lies in a file of its own. */
  readonly data: boolean
  readonly qcow2: Qcow2Options
  readonly unmap: boolean
  /** The power fails now and then. */
  readonly cuts: boolean
  /** Requests of the file overtake each other. */
  readonly paced: boolean
  /** A write that fails may have reached the disk in part. */
  readonly tornFailures: boolean
}

/** Any shape. */
export function shapeOf(choose: Random): Shape {
  const data = choose.chance(0.12)
  const extendedL2 = choose.chance(0.2)
  const clusterSize = extendedL2 ? 16384 : choose.pick([512, 512, 1024, 2048, 4096, 8192])
  const v2 = !data && !extendedL2 && choose.chance(0.2)
  const backing = !data && choose.chance(0.4)
  const tight = { l2CacheSize: 1024, l2CacheEntrySize: 512, refcountCacheSize: 0 }
  return {
    create: {
      clusterSize,
      refcountBits: v2 ? 16 : choose.pick([1, 2, 8, 16, 16, 32, 64, 64]),
      ...(v2 ? { compat: '0.10' } : {}),
      ...(extendedL2 ? { extendedL2 } : {}),
      ...(!v2 && choose.chance(0.3) ? { lazyRefcounts: true } : {}),
      ...(data ? { dataFile: 'data', dataFileRaw: choose.chance(0.4) } : {}),
    },
    clusterSize,
    sectors: extendedL2 ? 512 : choose.pick([96, 256, 320]),
    backing,
    data,
    qcow2: { ...(choose.chance(0.5) ? tight : {}), ...(!v2 && choose.chance(0.15) ? { discardNoUnref: true } : {}) },
    unmap: choose.chance(0.6),
    cuts: choose.chance(0.5),
    paced: choose.chance(0.5),
    tornFailures: choose.chance(0.3),
  }
}

/** The files of an image. */
export interface Files {
  readonly store: MemoryStore
  readonly data: MemoryStore | undefined
  readonly backing: MemoryStore | undefined
}

/** Opens an image of that shape for writing. */
export async function openShape(shape: Shape, files: Files, choose: Random): Promise<OpenDisk> {
  const isV3 = files.store.bytes()[7] === 3
  const lazy = isV3 && choose.chance(0.1) ? { lazyRefcounts: choose.chance(0.5) } : {}
  // Version 2 has no flags to keep places with.
  const options = isV3 ? { ...shape.qcow2, ...lazy } : { ...shape.qcow2, discardNoUnref: false }
  return openPaced(files, { unmap: shape.unmap, qcow2: options }, shape.paced ? choose.below(1e6) : undefined)
}

async function openPaced(files: Files, options: OpenDiskOptions, paceSeed: number | undefined): Promise<OpenDisk> {
  const lines: string[] = []
  const onDiagnostic = ({ kind, text }: Diagnostic): void =>
    void lines.push(kind === 'line' ? text : `${kind}: ${text}`)
  const graph = createBlockGraph({ drivers: [qcow2Driver], implicitOpen: 'deny', onDiagnostic })
  const paced = paceSeed === undefined ? {} : { pace: randomPace(paceSeed) }
  const dataFile = files.data === undefined ? {} : { dataFile: memory(files.data, paced) }
  const disk = await graph.open(qcow2({ ...options.qcow2, file: memory(files.store, paced), ...dataFile }), {
    unmap: options.unmap,
    backing: files.backing === undefined ? null : qcow2({ file: memory(files.backing) }),
  })
  const close = (): Promise<void> => graph.close()
  return { disk, graph, lines, close, [Symbol.asyncDispose]: close }
}
