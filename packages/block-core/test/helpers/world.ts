/** A graph over named stores with the toy format, and what a test needs of it. */

import type { AnyDriver } from '../../src/driver.ts'
import { ChildRoles, defineDriver } from '../../src/driver.ts'
import type { BlockGraph } from '../../src/graph/block-graph.ts'
import { createBlockGraph, type Diagnostic, type ImplicitOpenPolicy } from '../../src/index.ts'
import type { MemoryStore } from '../../src/testing/memory-driver.ts'
import { namedStores } from './named-stores.ts'
import { toyDriver } from './toy-format.ts'

/** A stand-in for raw: guest bytes are file bytes. */
export const plainDriver: AnyDriver = defineDriver({
  formatName: 'raw',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', help: 'the image file' } },
  probe: () => 1,
  async open(context, options: { file?: never }) {
    const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
    return {
      get length() {
        return file.length
      },
      limits: { requestAlignment: context.flags.probed && !context.readOnly ? 512 : 1 },
      read: (offset: number, into: Uint8Array) => file.read(offset, into),
      writer: {
        write: (offset: number, data: Uint8Array) => file.write(offset, data),
        truncate: (length: number) => file.truncate(length),
      },
      mapping: {
        blockStatus: async (offset: number, bytes: number) => ({
          bytes,
          data: false,
          zero: false,
          raw: true,
          hostOffset: offset,
        }),
      },
      reopen: async () => {},
      close: async () => {},
    }
  },
} as AnyDriver)

export interface World {
  readonly graph: BlockGraph
  readonly files: Map<string, MemoryStore>
  readonly messages: Diagnostic[]
}

export function world(options: { implicitOpen?: ImplicitOpenPolicy; drivers?: AnyDriver[] } = {}): World {
  const files = new Map<string, MemoryStore>()
  const messages: Diagnostic[] = []
  const graph = createBlockGraph({
    drivers: [namedStores(files), plainDriver, toyDriver, ...(options.drivers ?? [])],
    implicitOpen: options.implicitOpen ?? 'allow',
    onDiagnostic: (diagnostic) => messages.push(diagnostic),
  })
  return { graph, files, messages }
}

/** base ← mid ← top, each `size` bytes, as files of those names. */
export async function chain({ graph }: World, size = 65536): Promise<void> {
  await graph.create('toy', 'base', { size })
  await graph.create('toy', 'mid', { size, backing: { filename: 'base', format: 'toy' } })
  await graph.create('toy', 'top', { size, backing: { filename: 'mid', format: 'toy' } })
}

/** The message a promise fails with. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'no failure'
}
