/** What the tests of this package share: a store that notes requests, a parent that may do anything, and the reference. */

import { spawnSync } from 'node:child_process'
import { type BlockBackend, type BlockGraph, createBlockGraph, type Diagnostic } from '@blocklayer/block-core'
import {
  type BlockDriver,
  type Child,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  nodeSpec,
} from '@blocklayer/block-core/driver'
import { MemoryStore, memory } from '@blocklayer/block-core/testing'
import { onTestFinished } from 'vitest'
import { type PreallocateOptions, preallocate, preallocateDriver } from '../src/index.ts'

/** Notes every request that changes it: `write 0 512`, `zero 512 1024`, `length 2048`. */
export class NotingStore extends MemoryStore {
  readonly log: string[] = []

  override write(offset: number, data: Uint8Array): void {
    this.log.push(`write ${offset} ${data.length}`)
    super.write(offset, data)
  }

  override zero(offset: number, bytes: number): void {
    this.log.push(`zero ${offset} ${bytes}`)
    super.zero(offset, bytes)
  }

  override discard(offset: number, bytes: number): void {
    this.log.push(`discard ${offset} ${bytes}`)
    super.zero(offset, bytes)
  }

  override resize(length: number): void {
    if (!this.growing) this.log.push(`length ${length}`)
    super.resize(length)
  }

  /** What was noted since the last call. */
  take(): string[] {
    return this.log.splice(0)
  }
}

interface ParentOptions {
  readonly file: ChildSpec
  readonly onOpen: (file: Child) => void
}

/** A format that may write its file and make it longer, as formats may. */
const parentDriver: BlockDriver<ParentOptions> = defineDriver<ParentOptions>({
  formatName: 'parent',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', help: '' }, onOpen: { name: 'on-open', type: 'string', help: '' } },
  async open(context, { file, onOpen }) {
    const child = await context.attach('file', ChildRoles.image, file)
    onOpen(child)
    return {
      length: 0,
      read: async () => {},
      reopen: async () => {},
      writer: { write: async () => {} },
      close: async () => {},
    }
  },
})

/** A format over a preallocate node over a store. */
export interface Opened {
  readonly graph: BlockGraph
  /** The preallocate node as the format sees it. */
  readonly file: Child
  /** The format; closing it closes what is below. */
  readonly format: BlockBackend
  readonly diagnostics: Diagnostic[]
}

/** Opens one, in a graph that closes with the test; default: 64 KiB ahead, in steps of 4 KiB. */
export async function openBelowFormat(
  store: MemoryStore,
  options: Omit<PreallocateOptions, 'file'> = { preallocSize: 65536, preallocAlign: 4096 },
  file: ChildSpec = memory(store),
): Promise<Opened> {
  const diagnostics: Diagnostic[] = []
  const graph = createBlockGraph({
    drivers: [preallocateDriver],
    implicitOpen: 'deny',
    onDiagnostic: (diagnostic) => diagnostics.push(diagnostic),
  })
  onTestFinished(() => graph.close())
  let child: Child | undefined
  const spec = { ...preallocate({ ...options, file }), nodeName: 'filter' }
  const format = await graph.open(nodeSpec(parentDriver, { file: spec, onOpen: (opened: Child) => (child = opened) }))
  if (child === undefined) throw new Error('the format was not opened')
  return { graph, file: child, format, diagnostics }
}

/** `bytes` bytes of `value`. */
export function filled(value: number, bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(value)
}

/** Whether the tests that ask the reference must be left out: nothing to ask, and not in CI. */
export const withoutReference: boolean = !process.env.CI && spawnSync('qemu-io', ['--version']).error !== undefined

/** Runs a reference tool and gives all that it prints. */
export function reference(tool: 'qemu-img' | 'qemu-io', ...args: string[]): string {
  const { stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8', timeout: 20_000 })
  return stdout + stderr
}
