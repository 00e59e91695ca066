/** What `qemu-img commit` does with an image that is open: commit, wait, empty the overlay. */

import {
  backingImageOf,
  type BlockBackend,
  BlockError,
  type BlockGraph,
  type BlockNode,
  type JobOptions,
  Permissions,
} from '@blocklayer/block-core'
import { commit } from './commit.ts'
import type { Job } from './job-interface.ts'
import { heldNode } from './mirror/finish.ts'
import { runAll } from './run-all.ts'

/** Options of `commitImage`. */
export interface CommitImageOptions extends JobOptions {
  /** An image of the chain; the overlay is not emptied then. Absent: the immediate backing file. */
  readonly base?: BlockNode | undefined
  /** Leave the overlay as it is (`-d`). */
  readonly drop?: boolean | undefined
  /** Bytes per second, 0 (the default): unlimited. */
  readonly speed?: number | undefined
}

/**
 * Commits the image behind `backend` into its base and empties it. Afterwards `backend` is a user of the base.
 *
 * Nothing in the overlay is touched before the base has been flushed. A format that cannot be emptied keeps its data.
 *
 * @throws BlockError `Image does not have a backing file`; what keeps the base from being written, as it is;
 *   `Block job failed: …` once the job has run: the overlay is untouched then; `Failed to empty <filename>: …`: the base
 *   has the data. `signal.reason` when aborted.
 * @see spec/jobs.md, section 25; spec/commit-and-make-empty.md, section 11
 */
export async function commitImage(
  graph: BlockGraph,
  backend: BlockBackend,
  options: CommitImageOptions = {},
): Promise<void> {
  const top = backend.root
  const base = options.base ?? backingImageOf(top)
  if (base === undefined) throw new BlockError('EINVAL', 'Image does not have a backing file')
  if (options.drop === true || options.base !== undefined) return runCommit(graph, backend, base, options)
  // The job moves every user to the base; this one stays, so that the overlay is still open to be emptied.
  const held = graph.backend(top, { permissions: { taken: 0, shared: Permissions.all }, name: heldNode })
  try {
    await runCommit(graph, backend, base, options)
    await emptyOverlay(graph, top)
  } catch (error) {
    await runAll([() => held.close()], error)
  }
  await held.close()
}

async function runCommit(
  graph: BlockGraph,
  backend: BlockBackend,
  base: BlockNode,
  { signal, speed, onProgress }: CommitImageOptions,
): Promise<void> {
  signal?.throwIfAborted()
  const top = backend.root
  const job = commit(graph, { top, base, signal, speed, onProgress, jobId: 'commit', autoComplete: false })
  await job.started
  await job.whenReady()
  try {
    await job.completeSync()
  } catch (error) {
    throw jobFailure(job, error)
  }
  // A ready job that somebody else cancels ends well, but its users stay: nothing is committed for them.
  if (backend.root === top) throw BlockError.withErrno('ECANCELED', 'Block job failed')
}

function jobFailure(job: Job, error: unknown): unknown {
  // `signal.reason` may be any value; only the job's own error is put into the tool's words.
  if (error !== job.error || !(error instanceof BlockError)) return error
  return BlockError.withErrno(error.code, 'Block job failed', { cause: error })
}

async function emptyOverlay(graph: BlockGraph, top: BlockNode): Promise<void> {
  const overlay = graph.backend(top, { permissions: { taken: Permissions.write, shared: Permissions.all } })
  try {
    await overlay.makeEmpty()
  } catch (error) {
    const isUnsupported = error instanceof BlockError && error.code === 'ENOTSUP'
    await runAll([() => overlay.close()], isUnsupported ? undefined : error)
    return
  }
  await overlay.close()
}
