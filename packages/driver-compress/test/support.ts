/** What the tests of this package share: a format in memory that has compressed clusters, and the reference. */

import { spawnSync } from 'node:child_process'
import { type BlockBackend, createBlockGraph } from '@blocklayer/block-core'
import {
  type BlockDriver,
  BlockError,
  type BlockLayer,
  defineDriver,
  type NodeSpec,
  nodeSpec,
} from '@blocklayer/block-core/driver'
import { MemoryStore } from '@blocklayer/block-core/testing'
import { onTestFinished } from 'vitest'
import { compress } from '../src/index.ts'

/** Bytes of a cluster of the toy format. */
export const clusterSize = 4096

/** A disk, which of its clusters are compressed, and what was asked of it. */
export class ToyDisk {
  readonly store: MemoryStore
  readonly compressed: Set<number> = new Set()
  readonly log: string[] = []

  constructor(bytes: number) {
    this.store = new MemoryStore(bytes)
  }

  /** Notes a request; whole clusters become what `compressed` says. */
  note(name: string, offset: number, bytes: number, compressed?: boolean): void {
    this.log.push(`${name} ${offset} ${bytes}`)
    for (let at = offset; at < offset + bytes; at += clusterSize) {
      const index = Math.floor(at / clusterSize)
      if (compressed === true) this.compressed.add(index)
      else if (compressed === false) this.compressed.delete(index)
    }
  }
}

interface ToyOptions {
  readonly disk: ToyDisk
}

/** Compresses in name only: what matters here is which requests arrive. */
const toyDriver: BlockDriver<ToyOptions> = defineDriver<ToyOptions>({
  formatName: 'toy',
  kind: 'format',
  options: { disk: { name: 'disk', type: 'string', help: '' } },
  open: async (_context, { disk }) => toyLayer(disk),
})

/** Describes a node of the toy format. */
export function toy(disk: ToyDisk): NodeSpec<ToyOptions> {
  return nodeSpec(toyDriver, { disk })
}

function toyLayer(disk: ToyDisk): BlockLayer {
  const { store } = disk
  return {
    get length() {
      return store.length
    },
    info: () => ({ clusterSize, dirty: false, specific: { type: 'toy', data: {} } }),
    read: async (offset, into) => store.read(offset, into),
    flushToDisk: async () => store.flush(),
    reopen: async () => {},
    hasZeroInit: async () => true,
    close: async () => {},
    writer: {
      zeroFlags: { mayUnmap: true, noFallback: true },
      write: async (offset, data) => {
        disk.note('write', offset, data.length, false)
        store.write(offset, data)
      },
      writeCompressed: async (offset, data) => {
        const end = offset + data.length
        const whole = offset % clusterSize === 0 && (end % clusterSize === 0 || end === store.length)
        if (!whole || end > store.length) throw BlockError.fromErrno('EINVAL')
        disk.note('compressed', offset, data.length, true)
        store.write(offset, data)
      },
      writeZeroes: async (offset, bytes, flags) => {
        disk.note(flags.mayUnmap ? 'unmap' : 'zero', offset, bytes, false)
        store.zero(offset, bytes)
      },
      discard: async (offset, bytes) => {
        disk.note('discard', offset, bytes, false)
        store.zero(offset, bytes)
      },
      truncate: async (length) => store.resize(length),
    },
  }
}

/** Opens a compress node over `disk`, in a graph that closes with the test. */
export function openCompress(disk: ToyDisk): Promise<BlockBackend> {
  const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  onTestFinished(() => graph.close())
  return graph.open(compress({ file: toy(disk) }), { unmap: true })
}

/** Whether the tests that ask the reference must be left out: nothing to ask, and not in CI. */
export const withoutReference: boolean = !process.env.CI && spawnSync('qemu-io', ['--version']).error !== undefined

/** Runs a reference tool and gives all that it prints. */
export function reference(tool: 'qemu-img' | 'qemu-io', ...args: string[]): string {
  const { stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' })
  return stdout + stderr
}
