/** What the tests of this package share: a small format that announces its steps, and blkdebug beneath it over memory. */

import { type BlockBackend, type BlockGraph, createBlockGraph, debugListenerOf } from '@blocklayer/block-core'
import {
  BlockError,
  type BlockDriver,
  ChildRoles,
  type ChildSpec,
  type DebugSupport,
  defineDriver,
  nodeSpec,
} from '@blocklayer/block-core/driver'
import { MemoryStore, memory } from '@blocklayer/block-core/testing'
import { onTestFinished } from 'vitest'
import { blkdebug, blkdebugDriver, type BlkdebugOptions } from '../src/index.ts'

/** Announces `read_aio` and `write_aio` as every format does; otherwise passes everything on. */
const formatDriver: BlockDriver<{ readonly file: ChildSpec }, never> = defineDriver<{ readonly file: ChildSpec }>({
  formatName: 'announcing',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', help: '' } },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
    return {
      get length() {
        return file.length
      },
      read: async (offset, into) => {
        await file.debugEvent('read_aio')
        await file.read(offset, into)
      },
      writer: {
        zeroFlags: { mayUnmap: true, noFallback: true },
        write: async (offset, data) => {
          await file.debugEvent('write_aio')
          await file.write(offset, data)
        },
        writeZeroes: (offset, bytes, flags) => file.writeZeroes(offset, bytes, flags),
        discard: (offset, bytes) => file.discard(offset, bytes),
      },
      mapping: {
        blockStatus: async (offset, bytes) => ({ bytes, data: false, zero: false, raw: true, hostOffset: offset }),
      },
      close: async () => {},
    }
  },
})

/** Options but for the image. */
export type Rules = Omit<BlkdebugOptions, 'image' | 'xImage'>

/** What a test works with. */
export interface Debugged {
  readonly disk: BlockBackend
  readonly graph: BlockGraph
  readonly store: MemoryStore
  readonly debug: DebugSupport
  /** What blkdebug reported. */
  readonly lines: string[]
}

/** A graph that closes with the test. A rule may still fail the last flush: then closing it has no other news. */
export function newGraph(lines: string[] = []): BlockGraph {
  const graph = createBlockGraph({
    drivers: [blkdebugDriver],
    implicitOpen: 'deny',
    onDiagnostic: ({ text }) => lines.push(text),
  })
  onTestFinished(() => graph.close().catch((error: unknown) => void lines.push(String(error))))
  return graph
}

/** Opens a megabyte below the announcing format; `bare`: with blkdebug itself on top. */
export async function openDebugged(rules: Rules, setting: { readonly bare?: boolean } = {}): Promise<Debugged> {
  const lines: string[] = []
  const graph = newGraph(lines)
  const store = new MemoryStore(0x10_0000)
  const file = blkdebug({ ...rules, image: memory(store) })
  const disk = await graph.open(setting.bare ? file : nodeSpec(formatDriver, { file }), { unmap: true })
  const debug = debugListenerOf(disk.root)
  if (debug === undefined) throw new Error('nobody listens')
  return { disk, graph, store, debug, lines }
}

/** A rule as text: `rule({ event: 'write_aio', errno: 28 })`. */
export function rule(
  values: Readonly<Record<string, string | number | boolean>>,
): Map<string, string | number | boolean> {
  return new Map(Object.entries(values))
}

/** `ok`, or the code with which `work` failed. */
export async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'ok'
  } catch (error) {
    if (error instanceof BlockError) return error.code
    throw error
  }
}
