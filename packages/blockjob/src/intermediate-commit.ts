/** Commit of an image that has overlays: what it adds goes into the base, and its overlays then stand on the base. */

import {
  assert,
  type BlockBackend,
  BlockError,
  type BlockGraph,
  type BlockNode,
  chainAllocation,
  drainNode,
  freezeBackingChain,
  Permissions,
  reopenReadOnly,
} from '@blocklayer/block-core'
import type { BlockJob, OnError } from './block-job.ts'
import { blockNodes } from './block-nodes.ts'
import type { IoOperation } from './job-events.ts'
import type { JobHooks } from './job-hooks.ts'
import { plainError } from './plain-error.ts'
import { runAll } from './run-all.ts'

/** What is committed into what. */
export interface IntermediateCommitOptions {
  readonly graph: BlockGraph
  readonly top: BlockNode
  readonly base: BlockNode
  /** Images that have `top` as their backing file. */
  readonly overlays: readonly BlockNode[]
  /** Name of the base for the overlays to record. */
  readonly backingFile: string
  readonly onError: OnError
}

/** Longest copy in bytes. @see QEMU 7.2 block/commit.c: COMMIT_BUFFER_SIZE */
const copyMax: number = 512 * 1024
/** Longest run asked for at once. */
const runMax: number = 2 ** 30

const mainNode = 'main node'

/** @see spec/jobs.md, section 16 */
export class IntermediateCommit implements JobHooks {
  readonly #job: BlockJob
  readonly #options: IntermediateCommitOptions
  readonly #undo: (() => unknown)[] = []
  #source: BlockBackend | undefined
  #target: BlockBackend | undefined

  constructor(job: BlockJob, options: IntermediateCommitOptions) {
    this.#job = job
    this.#options = options
  }

  async setup(): Promise<void> {
    const { graph, top, base } = this.#options
    const { consistentRead, write, writeUnchanged, resize, all } = Permissions
    const description = `commit job '${this.#job.id}'`
    const wasReadOnly = base.readOnly
    await reopenReadOnly(base, false)
    if (wasReadOnly) this.#undo.unshift(() => reopenReadOnly(base, true))
    try {
      // `write` stays shared: the chain below hands down what is shared here, and the base is about to be written.
      const shared = all & ~resize
      const source = graph.backend(top, {
        permissions: { taken: consistentRead, shared },
        name: mainNode,
        description,
        isJob: true,
      })
      this.#undo.unshift(() => source.close())
      this.#undo.unshift(blockNodes(top, base, 'commit'))
      this.#undo.unshift(freezeBackingChain(top, base))
      const target = graph.backend(base, {
        permissions: { taken: consistentRead | write, shared: consistentRead | writeUnchanged },
        name: 'base',
        description,
        isJob: true,
      })
      this.#undo.unshift(() => target.close())
      this.#source = source
      this.#target = target
    } catch (error) {
      await runAll(this.#undo.splice(0), error)
    }
  }

  async run(): Promise<void> {
    const { top } = this.#options
    const target = this.#target!
    this.#job.meter.setRemaining(top.length)
    try {
      if (target.length < top.length) await target.truncate(top.length, { exact: false })
    } catch (error) {
      throw plainError(error)
    }
    await this.#copyAll()
  }

  async #copyAll(): Promise<void> {
    const job = this.#job
    const { length } = this.#options.top
    let run = { allocated: false, end: 0 }
    for (let at = 0; at < length && !job.isForceCancelled; ) {
      if (job.sliceOver) await job.sleep(0)
      else if (job.shouldPause) await job.pausePoint()
      if (run.end <= at) {
        const next = await this.#try('read', () => this.#runAt(at, length))
        if (next === undefined) continue
        run = next
      }
      const bytes = run.allocated ? Math.min(run.end - at, copyMax) : run.end - at
      if (run.allocated && !(await this.#copy(at, bytes))) continue
      at += bytes
      job.meter.workDone(bytes)
      const delay = run.allocated && at < length ? job.delayAfter(bytes) : 0
      if (delay > 0) await job.sleep(delay)
    }
  }

  async #runAt(at: number, length: number): Promise<{ allocated: boolean; end: number }> {
    const { top, base } = this.#options
    const { bytes, allocated } = await chainAllocation(top, base, at, Math.min(length - at, runMax), false)
    assert(bytes > 0, `node '${top.nodeName}' has a run of no length`)
    return { allocated, end: at + bytes }
  }

  /** @returns whether it is done; where the policy is to try again, it is not */
  async #copy(offset: number, bytes: number): Promise<boolean> {
    const buffer = new Uint8Array(bytes)
    const isRead = await this.#try('read', async () => {
      await this.#source!.read(offset, buffer)
      return true
    })
    if (isRead === undefined) return false
    const isWritten = await this.#try('write', async () => {
      await this.#target!.write(offset, buffer)
      return true
    })
    return isWritten ?? false
  }

  /** @returns `undefined` where it failed and the policy is to try again, perhaps after a pause */
  async #try<T>(operation: IoOperation, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      if (this.#job.handleError(operation, this.#options.onError, error) === 'report') throw plainError(error)
      return undefined
    }
  }

  async prepare(): Promise<void> {
    const { graph, top, base, backingFile } = this.#options
    const resume = await drainNode(top)
    try {
      await this.#hideTail()
      // An overlay must not name a base whose data a power cut could still take away.
      await this.#target!.flush()
      // Overlays do not let others write to what they stand on. The freeze, the source and the base's mode stay for `clean`.
      await runAll(this.#undo.splice(0, 1))
      await graph.dropIntermediate(top, base, { backingFile, stays: (name) => name === mainNode })
    } finally {
      resume()
    }
  }

  /**
   * Past the end of `top` an overlay reads zeroes; past the end of a longer base it would read the base. The reference
   * lets it: here those bytes become zeroes, as far as an overlay reaches.
   */
  async #hideTail(): Promise<void> {
    const { top, base, overlays } = this.#options
    const end = Math.min(base.length, Math.max(...overlays.map(({ length }) => length)))
    if (end > top.length) await this.#target!.writeZeroes(top.length, end - top.length, { mayUnmap: true })
  }

  async clean(): Promise<void> {
    await runAll(this.#undo.splice(0))
  }
}
