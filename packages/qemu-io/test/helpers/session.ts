/** A session over a disk in memory, and what it prints. */

import { type BlockBackend, type BlockGraph, createBlockGraph, type NodeSpec } from '@blocklayer/block-core'
import { MemoryStore, memory } from '@blocklayer/block-core/testing'
import type { Host } from '../../src/host.ts'
import { type Printed, recordingOutput } from '../../src/output.ts'
import { runLine } from '../../src/run-line.ts'
import { Session } from '../../src/session.ts'

/** What tests need of a session. */
export interface Bench {
  readonly session: Session
  readonly store: MemoryStore
  readonly graph: BlockGraph
  readonly backend: BlockBackend
  /** Runs a line. @returns what it printed on both outputs, and `failed` at the end if it did */
  run(line: string): Promise<string>
  /** What was printed since. */
  take(): Printed
}

/** How a bench differs from 64 KiB of plain memory. */
export interface BenchOptions {
  readonly bytes?: number
  readonly readOnly?: boolean
  readonly host?: Host
  /** Describes what lies over the memory. */
  readonly over?: (memory: NodeSpec) => NodeSpec
}

/** Opens a disk and a session on it. Requests take no time at all, so that reports are the same every time. */
export async function bench(options: BenchOptions = {}): Promise<Bench> {
  const store = new MemoryStore(options.bytes ?? 65536)
  const output = recordingOutput()
  let diagnostic: Session['diagnostic'] | undefined
  const graph = createBlockGraph({
    drivers: [],
    implicitOpen: 'deny',
    onDiagnostic: (message) => diagnostic?.(message),
  })
  const plain = memory(store)
  const backend = await graph.open(options.over?.(plain) ?? plain, { readOnly: options.readOnly ?? false })
  const close = () => graph.close()
  const host = { now: () => 0, ...options.host }
  const session = new Session({ output, host, image: { backend, graph, close } })
  diagnostic = session.diagnostic
  const run = async (line: string): Promise<string> => {
    const ok = await runLine(session, line)
    const { out, err } = output.take()
    return `${err}${out}${ok ? '' : 'failed'}`
  }
  return { session, store, graph, backend, run, take: () => output.take() }
}

/** A session without an image. */
export function emptyBench(options: { readonly host?: Host } = {}): Pick<Bench, 'session' | 'run'> {
  const output = recordingOutput()
  const session = new Session({ output, ...options })
  const run = async (line: string): Promise<string> => {
    const ok = await runLine(session, line)
    const { out, err } = output.take()
    return `${err}${out}${ok ? '' : 'failed'}`
  }
  return { session, run }
}

/** The report of a request that took no time. */
export function report(verb: string, bytes: number, offset: number, size: string): string {
  return `${verb} ${bytes}/${bytes} bytes at offset ${offset}\n${size}, 1 ops; 00.00 sec (inf EiB/sec and inf ops/sec)\n`
}
