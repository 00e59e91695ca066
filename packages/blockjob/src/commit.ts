/** The commit job: brings the content of an image, and of those between, down into an image of its backing chain. */

import {
  backingImageOf,
  BlockError,
  type BlockGraph,
  type BlockNode,
  chainImagesOf,
  type JobOptions,
  Permissions,
  permissionsOf,
  requireUnblocked,
} from '@blocklayer/block-core'
import { ActiveCommit } from './active-commit.ts'
import { BlockJob, type OnError } from './block-job.ts'
import { type JobClock, systemClock } from './clock.ts'
import { IntermediateCommit } from './intermediate-commit.ts'
import type { JobEvent } from './job-events.ts'
import type { Job } from './job-interface.ts'
import { jobListOf } from './job-list.ts'

/** Options of a commit. */
export interface CommitOptions extends JobOptions {
  readonly top: BlockNode
  /** Below `top`. Absent: the bottom of the chain. */
  readonly base?: BlockNode | undefined
  /** Name of `base` for the overlays of `top` to record; only where `top` has some. Absent: the filename of `base`. */
  readonly backingFile?: string | undefined
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
 * Starts a commit: `base` gets everything that is allocated above it, and grows to the length of `top` where it is
 * shorter. The files of the images above it keep what they hold.
 *
 * The active layer's users go on with `base`, once the job is ready and completed. Where `top` has overlays and nobody
 * writes to it, these stand on `base` afterwards and record it; such a job is never ready.
 *
 * Aborting `signal` cancels by force; the base then holds a part of the data, which `top` still hides.
 *
 * @throws BlockError `EINVAL` `cannot commit an image into itself`, `'…' is not in this backing file chain`,
 *   `'backing-file' specified, but 'top' is the active layer` (or `has a writer on it`); for an id that is invalid or in use, or a negative speed;
 *   `EBUSY` `Node '…' is busy: block device is in use by block job: commit` where another job works on one of the images.
 *   What fails later is in `started` and `done`.
 * @see spec/jobs.md, sections 16 and 18
 */
export function commit(graph: BlockGraph, options: CommitOptions): Job {
  const { top, onError = 'report', autoComplete = true } = options
  const base = options.base ?? chainImagesOf(top).at(-1) ?? top
  checkChain(top, base)
  // Whoever writes to an image while it is copied needs the mirror, which copies again what is written.
  const isWritten = (permissionsOf(top).taken & Permissions.write) !== 0
  const overlays = isWritten ? [] : overlaysOf(graph, top)
  if (overlays.length === 0 && options.backingFile !== undefined) {
    const why = isWritten && overlaysOf(graph, top).length > 0 ? 'has a writer on it' : 'is the active layer'
    throw new BlockError('EINVAL', `'backing-file' specified, but 'top' ${why}`)
  }
  const job = makeJob(graph, options)
  const backingFile = options.backingFile ?? base.filename
  job.start(
    overlays.length === 0
      ? new ActiveCommit(job, { graph, top, base, onError, autoComplete })
      : new IntermediateCommit(job, { graph, top, base, overlays, backingFile, onError }),
  )
  return job
}

function checkChain(top: BlockNode, base: BlockNode): void {
  const images = chainImagesOf(top)
  if (base === top || base === images[0]) throw new BlockError('EINVAL', 'cannot commit an image into itself')
  const end = images.indexOf(base)
  if (end < 0) throw new BlockError('EINVAL', `'${base.nodeName}' is not in this backing file chain`)
  for (const image of images.slice(0, end + 1)) requireUnblocked(image, 'commit-target')
}

/** Images that have `top` as their backing file, through filters or not. */
function overlaysOf(graph: BlockGraph, top: BlockNode): readonly BlockNode[] {
  const [image] = chainImagesOf(top)
  return graph.nodes.filter((node) => node.driverKind !== 'filter' && backingImageOf(node) === image)
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
