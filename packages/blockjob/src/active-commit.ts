/** Commit of the active layer: a mirror into an image below it, whose users then go on with that image. */

import { type BlockGraph, type BlockNode, reopenReadOnly } from '@blocklayer/block-core'
import type { BlockJob, OnError } from './block-job.ts'
import type { JobHooks } from './job-hooks.ts'
import { markAllocated } from './mirror/dirty-init.ts'
import { attach, type Footprint } from './mirror/finish.ts'
import { Mirror } from './mirror/mirror.ts'
import { plainError } from './plain-error.ts'
import { runAll } from './run-all.ts'

/** What is committed into what. */
export interface ActiveCommitOptions {
  readonly graph: BlockGraph
  readonly top: BlockNode
  readonly base: BlockNode
  readonly onError: OnError
  readonly autoComplete: boolean
}

/** @see spec/jobs.md, section 18 */
export class ActiveCommit implements JobHooks {
  readonly #job: BlockJob
  readonly #options: ActiveCommitOptions
  #footprint: Footprint | undefined
  #mirror: Mirror | undefined

  constructor(job: BlockJob, options: ActiveCommitOptions) {
    this.#job = job
    this.#options = options
  }

  async setup(): Promise<void> {
    const { graph, top, base, onError, autoComplete } = this.#options
    const job = this.#job
    const wasReadOnly = base.readOnly
    await reopenReadOnly(base, false)
    try {
      const footprint = await attach(graph, { top, base, description: `commit job '${job.id}'` })
      this.#footprint = footprint
      this.#mirror = new Mirror({ job, ...footprint, onSourceError: onError, onTargetError: onError, autoComplete })
    } catch (error) {
      await runAll(wasReadOnly ? [() => reopenReadOnly(base, true)] : [], error)
    }
  }

  async run(): Promise<void> {
    const { top, base } = this.#options
    const { bitmap, target } = this.#footprint!
    try {
      if (target.length < top.length) await target.truncate(top.length, { exact: false })
      await markAllocated(this.#job, bitmap, top, base)
    } catch (error) {
      throw plainError(error)
    }
    await this.#mirror!.run()
  }

  pause(): Promise<void> {
    return this.#mirror!.quiesce()
  }

  complete(): void {
    this.#mirror!.requestComplete()
  }

  /** Only a job that is in sync can be cancelled softly. */
  cancel(force: boolean): boolean {
    return force || !this.#job.ready
  }

  async prepare(): Promise<void> {
    if (this.#mirror!.shouldPivot) await this.#footprint!.pivot()
  }

  async clean(): Promise<void> {
    // Guests go on before the source is closed: a pivot has moved them to the base by now.
    this.#mirror?.release()
    await this.#footprint?.release()
  }
}
