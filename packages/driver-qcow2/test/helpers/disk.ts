/** Images in memory, made by our own `create` and opened through a real graph. */

import { type BlockBackend, type BlockGraph, createBlockGraph, type Diagnostic } from '@blocklayer/block-core'
import type { CheckResult } from '@blocklayer/block-core/driver'
import { type MemoryStore, memory } from '@blocklayer/block-core/testing'
import { qcow2Create } from '../../src/features/create/create.ts'
import type { Qcow2CreateOptions } from '../../src/features/create/options.ts'
import { type Qcow2Options, qcow2, qcow2Driver } from '../../src/index.ts'
import { MemoryChild } from './memory-child.ts'
import { tracing } from './tracing-driver.ts'

/** Kibibyte. */
export const KiB = 1024

/** Mebibyte. */
export const MiB: number = 1024 * 1024

/** Bytes of a new image file. One with a data file leaves that to be: all zeroes, as long as the disk. */
export async function newImage(
  size: number,
  options: Qcow2CreateOptions = {},
  backing?: { readonly filename: string; readonly format: string | undefined },
): Promise<Uint8Array> {
  const file = new MemoryChild()
  await qcow2Create.run(
    {
      filename: 'memory',
      size: BigInt(size),
      backing,
      file: async () => file,
      otherFile: async (name) => new MemoryChild(undefined, name),
      makeFile: async () => undefined,
      signal: undefined,
      warn: () => undefined,
    },
    options,
  )
  return file.content
}

/** How `openDisk` opens. */
export interface OpenDiskOptions {
  readonly backing?: MemoryStore | undefined
  /** A backing file without any format. */
  readonly rawBacking?: MemoryStore | undefined
  /** The file with the guest's data, where that is not the image's own. */
  readonly data?: MemoryStore | undefined
  readonly readOnly?: boolean
  readonly unmap?: boolean
  readonly check?: boolean
  readonly qcow2?: Qcow2Options
  /** Gets what reaches the image's file: see `tracing`. */
  readonly log?: string[]
}

/** An open image with its graph and what was said about it. */
export interface OpenDisk extends AsyncDisposable {
  readonly disk: BlockBackend
  readonly graph: BlockGraph
  /** Diagnostics as a tool would print them, program name left out. */
  readonly lines: string[]
  /** Closes all images of the graph. */
  close(): Promise<void>
}

const drivers = [qcow2Driver]

/** Opens the image in `store`. */
export async function openDisk(store: MemoryStore, options: OpenDiskOptions = {}): Promise<OpenDisk> {
  const lines: string[] = []
  const onDiagnostic = ({ kind, text }: Diagnostic): void => {
    lines.push(kind === 'line' ? text : `${kind}: ${text}`)
  }
  const graph = createBlockGraph({ drivers, implicitOpen: 'deny', onDiagnostic })
  const { backing, rawBacking, data } = options
  const bare = rawBacking === undefined ? null : memory(rawBacking)
  const file = options.log === undefined ? memory(store) : tracing(store, options.log)
  const dataFile = data === undefined ? {} : { dataFile: memory(data) }
  const disk = await graph.open(qcow2({ ...options.qcow2, file, ...dataFile }), {
    readOnly: options.readOnly,
    unmap: options.unmap,
    check: options.check,
    backing: backing === undefined ? bare : qcow2({ file: memory(backing) }),
  })
  const close = (): Promise<void> => graph.close()
  return { disk, graph, lines, close, [Symbol.asyncDispose]: close }
}

/** What a check of the image in `store` finds, without mending anything. */
export async function checkStore(
  store: MemoryStore,
  data?: MemoryStore,
): Promise<CheckResult & { readonly lines: readonly string[] }> {
  await using opened = await openDisk(store, { readOnly: true, check: true, data })
  return { ...(await opened.disk.check()), lines: opened.lines }
}

/** All guest bytes. */
export async function readAll(disk: BlockBackend): Promise<Uint8Array> {
  const bytes = new Uint8Array(disk.length)
  await disk.read(0, bytes)
  return bytes
}
