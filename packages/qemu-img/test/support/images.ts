/** Images in memory, opened by name: what the tests of this package work on. */

import { type BlockBackend, type BlockGraph, createBlockGraph } from '@blocklayer/block-core'
import { FaultStore, MemoryFiles } from '@blocklayer/block-core/testing'
import { qcow2Driver } from '@blocklayer/driver-qcow2'
import { rawDriver } from '@blocklayer/driver-raw'

export const kib = 1024
export const mib: number = 1024 * kib

/** A graph over files in memory; each file can be made to fail. */
export interface MemoryImages extends AsyncDisposable {
  readonly graph: BlockGraph
  readonly files: MemoryFiles
  /** The file called `name`. */
  store(name: string): FaultStore
  /** Makes `mem:<name>` with `data` written at offsets in bytes, and closes it. */
  make(name: string, format: string, size: number, data?: Readonly<Record<number, Uint8Array>>): Promise<void>
  /** Opens `mem:<name>` to read, or to write. */
  open(name: string, format: string, mode?: { readonly writable: boolean }): Promise<BlockBackend>
}

/** Nothing is there yet. */
export function memoryImages(): MemoryImages {
  const files = new MemoryFiles({ newStore: (bytes) => new FaultStore(bytes) })
  const graph = createBlockGraph({ drivers: [files.driver, rawDriver, qcow2Driver], implicitOpen: 'allow' })
  return {
    graph,
    files,
    store: (name) => files.stores.get(name) as FaultStore,
    async make(name, format, size, data = {}) {
      await graph.create(format, `mem:${name}`, { size })
      await using disk = await graph.open(`mem:${name}`, { format })
      for (const [offset, bytes] of Object.entries(data)) await disk.write(Number(offset), bytes)
    },
    open: (name, format, { writable } = { writable: false }) =>
      graph.open(`mem:${name}`, { format, readOnly: !writable }),
    [Symbol.asyncDispose]: () => graph.close(),
  }
}

/** So many bytes of one value. */
export function filled(bytes: number, value: number): Uint8Array {
  return new Uint8Array(bytes).fill(value)
}

/** A disk's whole content. */
export async function contentOf(disk: BlockBackend): Promise<Uint8Array> {
  const content = new Uint8Array(disk.length)
  await disk.read(0, content)
  return content
}
