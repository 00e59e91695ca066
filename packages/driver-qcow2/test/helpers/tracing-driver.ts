/** A protocol over a store that writes down, in order, the events that its parent announces and the requests it gets. */

import { type BlockDriver, type BlockLayer, defineDriver, type NodeSpec, nodeSpec } from '@blocklayer/block-core/driver'
import type { MemoryStore } from '@blocklayer/block-core/testing'

interface TracingOptions {
  readonly store: MemoryStore
  readonly log: string[]
}

/**
 * Describes a node over `store`. `log` gets the names of events, and `R`, `W`, `Z`, `P`, `F` and `T` for reads, writes,
 * zero writes, discards, flushes and truncations.
 */
export function tracing(store: MemoryStore, log: string[]): NodeSpec<TracingOptions> {
  return nodeSpec(tracingDriver, { store, log })
}

const tracingDriver: BlockDriver<TracingOptions> = defineDriver<TracingOptions>({
  formatName: 'tracing',
  protocolName: 'tracing',
  kind: 'protocol',
  options: {
    store: { name: 'store', type: 'string', help: 'the store (only in code)' },
    log: { name: 'log', type: 'string', help: 'the log (only in code)' },
  },
  open: async (_context, options) => tracingLayer(options),
})

function tracingLayer({ store, log }: TracingOptions): BlockLayer {
  return {
    get length() {
      return store.length
    },
    read: async (offset, into) => {
      log.push('R')
      store.read(offset, into)
    },
    flushToDisk: async () => {
      log.push('F')
      store.flush()
    },
    writer: {
      zeroFlags: { mayUnmap: true, noFallback: true },
      write: async (offset, data) => {
        log.push('W')
        store.write(offset, data)
      },
      writeZeroes: async (offset, bytes) => {
        log.push('Z')
        store.zero(offset, bytes)
      },
      discard: async (offset, bytes) => {
        log.push('P')
        store.zero(offset, Math.min(bytes, store.length - offset))
      },
      truncate: async (length) => {
        log.push('T')
        store.resize(length)
      },
    },
    debug: {
      event: async (event) => {
        log.push(event)
      },
      setBreakpoint: () => undefined,
      removeBreakpoint: () => undefined,
      resume: () => undefined,
      isSuspended: () => false,
      untilSuspended: async () => {},
    },
    close: async () => undefined,
  }
}
