/** What the tests of this package share: raw images over memory, and a node that hears events. */

import { type BlockBackend, type BlockGraph, createBlockGraph, type OpenOptions } from '@blocklayer/block-core'
import {
  type BlkdebugEvent,
  type BlockDriver,
  type Child,
  ChildRoles,
  defineDriver,
  type NodeSpec,
  nodeSpec,
} from '@blocklayer/block-core/driver'
import { type MemoryStore, memory } from '@blocklayer/block-core/testing'
import { onTestFinished } from 'vitest'
import { type RawOptions, raw, rawDriver } from '../src/index.ts'

/** A graph that closes with the test. */
export function newGraph(): BlockGraph {
  const graph = createBlockGraph({ drivers: [rawDriver], implicitOpen: 'deny' })
  onTestFinished(() => graph.close())
  return graph
}

/** Opens a raw image over `store`. */
export function openRaw(
  store: MemoryStore,
  options: Omit<RawOptions, 'file'> = {},
  open: OpenOptions = {},
): Promise<BlockBackend> {
  return newGraph().open(raw({ ...options, file: memory(store) }), open)
}

/** Bytes 0, 1, 2 … 255, 0, … */
export function counting(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => index)
}

interface ListenerOptions {
  readonly image: NodeSpec
  readonly heard: BlkdebugEvent[]
}

const listenerDriver: BlockDriver<ListenerOptions, never> = defineDriver<ListenerOptions>({
  formatName: 'listener',
  kind: 'filter',
  options: {
    image: { name: 'image', type: 'node', help: '' },
    heard: { name: 'heard', type: 'string', help: '' },
  },
  async open(context, { image, heard }) {
    const child: Child = await context.attach('image', ChildRoles.filtered | ChildRoles.primary, image)
    return {
      get length() {
        return child.length
      },
      read: (offset, into) => child.read(offset, into),
      writer: {
        zeroFlags: { mayUnmap: true, noFallback: true },
        write: (offset, data) => child.write(offset, data),
        writeZeroes: (offset, bytes, flags) => child.writeZeroes(offset, bytes, flags),
        discard: (offset, bytes) => child.discard(offset, bytes),
      },
      debug: {
        event: async (event) => {
          heard.push(event)
        },
        setBreakpoint: () => {},
        removeBreakpoint: () => {},
        resume: () => {},
        isSuspended: () => false,
        untilSuspended: async () => {},
      },
      close: async () => {},
    }
  },
})

/** A raw image whose announcements land in `heard`. */
export function openHeard(store: MemoryStore, heard: BlkdebugEvent[]): Promise<BlockBackend> {
  const file = nodeSpec(listenerDriver, { image: memory(store), heard })
  return newGraph().open(raw({ file }))
}
