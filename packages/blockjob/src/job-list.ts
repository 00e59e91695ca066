/** The jobs of a graph by id, and what an id may look like. */

import { BlockError, type BlockGraph } from '@blocklayer/block-core'
import type { Job } from './job-interface.ts'

/** As for node names: a letter first, then letters, digits, `-`, `.` and `_`. */
const idPattern = /^[A-Za-z][-A-Za-z0-9._]*$/

/** Jobs that are not gone yet. */
export class JobList {
  readonly #jobs = new Map<string, Job>()
  #made = 0

  /** Newest first, as queries list them. */
  get all(): readonly Job[] {
    return [...this.#jobs.values()].reverse()
  }

  /** An id that is free: the kind of job and a number. */
  freeId(type: string): string {
    let id: string
    do id = `${type}${this.#made++}`
    while (this.#jobs.has(id))
    return id
  }

  /** @throws BlockError `EINVAL` `Invalid job ID '…'`, `EEXIST` `Job ID '…' already in use` */
  add(job: Job): void {
    if (!idPattern.test(job.id)) throw new BlockError('EINVAL', `Invalid job ID '${job.id}'`)
    if (this.#jobs.has(job.id)) throw new BlockError('EEXIST', `Job ID '${job.id}' already in use`)
    this.#jobs.set(job.id, job)
  }

  remove(job: Job): void {
    this.#jobs.delete(job.id)
  }
}

const lists = new WeakMap<BlockGraph, JobList>()

/** The list that belongs to `graph`: one per graph, because that is where ids must not collide. */
export function jobListOf(graph: BlockGraph): JobList {
  const list = lists.get(graph) ?? new JobList()
  lists.set(graph, list)
  return list
}

/** The jobs of `graph` that are not gone yet, newest first. */
export function jobsOf(graph: BlockGraph): readonly Job[] {
  return jobListOf(graph).all
}
