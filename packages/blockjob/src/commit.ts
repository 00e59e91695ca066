/** The commit job: brings the content of an image, and of those between, down into an image of its backing chain. */

import {
  backingImageOf,
  BlockError,
  type BlockGraph,
  type BlockNode,
  chainImagesOf,
  type JobOptions,
} from '@blocklayer/block-core'
import { ActiveCommit } from './active-commit.ts'
import { BlockJob, type OnError } from './block-job.ts'
import { type JobClock, systemClock } from './clock.ts'
import type { JobEvent } from './job-events.ts'
import type { Job } from './job-interface.ts'
import { jobListOf } from './job-list.ts'

/** Options of a commit. */
export interface CommitOptions extends JobOptions {
  readonly top: BlockNode
  /** Below `top`. Absent: the bottom of the chain. */
  readonly base?: BlockNode | undefined
  /** Bytes per second, 0 (the default): unlimited. */
  readonly speed?: number | undefined
  /** Default `report`: the first error ends the job. */
  readonly onError?: OnError | undefined
  /** Default: `commit` and a number that is free. */
  readonly jobId?: string | undefined
  /** `false`: a ready job goes on copying what its users write until `complete` or `cancel`. Default true. */
  readonly autoComplete?: boolean | undefined
  /** `false`: wait for `finalize` before taking effect. Default true. */
  readonly autoFinalize?: boolean | undefined
  /** `false`: stay listed until `dismiss`. Default true. */
  readonly autoDismiss?: boolean | undefined
  readonly onEvent?: ((event: JobEvent) => void) | undefined
  /** For tests. Default: the real time. */
  readonly clock?: JobClock | undefined
}

/**
 * Starts a commit of the active layer: `base` gets everything that is allocated above it, grows to the length of `top`
 * where it is shorter, and all users of `top` go on with `base`. The overlay's file is not changed.
 *
 * Aborting `signal` cancels by force; the base then holds a part of the data, which every overlay still hides.
 *
 * @throws BlockError `EINVAL` `cannot commit an image into itself`, `'…' is not in this backing file chain`; `ENOTSUP`
 *   where `top` is not the active layer; for an id that is invalid or in use, or a negative speed. What fails later is
 *   in `started` and `done`.
 * @see spec/jobs.md, section 18
 */
export function commit(graph: BlockGraph, options: CommitOptions): Job {
  const { top, onError = 'report', autoComplete = true } = options
  const base = options.base ?? chainImagesOf(top).at(-1) ?? top
  checkChain(graph, top, base)
  const job = makeJob(graph, options)
  job.start(new ActiveCommit(job, { graph, top, base, onError, autoComplete }))
  return job
}

function checkChain(graph: BlockGraph, top: BlockNode, base: BlockNode): void {
  const images = chainImagesOf(top)
  if (base === top || base === images[0]) throw new BlockError('EINVAL', 'cannot commit an image into itself')
  if (!images.includes(base)) {
    throw new BlockError('EINVAL', `'${base.nodeName}' is not in this backing file chain`)
  }
  if (graph.nodes.some((node) => backingImageOf(node) === images[0])) {
    throw new BlockError('ENOTSUP', `Node '${top.nodeName}' has overlays: only the active layer can be committed`)
  }
}

function makeJob(graph: BlockGraph, options: CommitOptions): BlockJob {
  const list = jobListOf(graph)
  return new BlockJob({
    id: options.jobId ?? list.freeId('commit'),
    type: 'commit',
    list,
    clock: options.clock ?? systemClock,
    speed: options.speed ?? 0,
    autoFinalize: options.autoFinalize ?? true,
    autoDismiss: options.autoDismiss ?? true,
    signal: options.signal,
    onProgress: options.onProgress,
    onEvent: options.onEvent,
  })
}
