/** A block job whose work a test writes, with its events. */
import { BlockJob, type BlockJobSettings } from '../../src/block-job.ts'
import type { JobEvent } from '../../src/index.ts'
import type { JobHooks } from '../../src/job-hooks.ts'
import { JobList } from '../../src/job-list.ts'
import { ManualClock } from './manual-clock.ts'

export interface TestJob {
  readonly job: BlockJob
  readonly clock: ManualClock
  readonly list: JobList
  readonly events: JobEvent[]
}

/** @param watch - called after every event but the first, `created`, which comes before there is a job to look at */
export function testJob(
  settings: Partial<BlockJobSettings> = {},
  watch?: (job: BlockJob, event: JobEvent) => void,
): TestJob {
  const clock = new ManualClock()
  const list = new JobList()
  const events: JobEvent[] = []
  const job: BlockJob = new BlockJob({
    id: 'job1',
    type: 'mirror',
    list,
    clock,
    speed: 0,
    autoFinalize: true,
    autoDismiss: true,
    signal: undefined,
    onProgress: undefined,
    ...settings,
    onEvent: (event) => {
      events.push(event)
      if (events.length > 1) watch?.(job, event)
    },
  })
  return { job, clock, list, events }
}

/** States by name, other events by name with their data in short. */
export function shortly(events: readonly JobEvent[]): string[] {
  return events.map((event) => {
    switch (event.event) {
      case 'JOB_STATUS_CHANGE':
        return event.data.status
      case 'BLOCK_JOB_ERROR':
        return `${event.event} ${event.data.operation}/${event.data.action}`
      case 'BLOCK_JOB_COMPLETED':
        return event.data.error === undefined ? event.event : `${event.event} ${event.data.error}`
      default:
        return event.event
    }
  })
}

/** What a call fails with; calls that throw and calls that reject are alike. */
export async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    return error
  }
  return undefined
}

/** The message of what a call fails with. */
export async function messageOf(call: () => unknown): Promise<string | undefined> {
  const failure = await failureOf(call)
  return failure === undefined ? undefined : (failure as Error).message
}

/** Work that is ready at once and then waits for `complete` or a cancel, as a mirror does. */
export function readyHooks({ job }: TestJob, steps: string[] = []): JobHooks {
  let complete = false
  return {
    run: async () => {
      job.becomeReady()
      while (!complete && !job.isForceCancelled && !job.isSoftCancelled) await job.sleep(100)
    },
    complete: () => {
      complete = true
    },
    cancel: (force) => force || !job.ready,
    pause: async () => void steps.push('pause'),
    prepare: async () => void steps.push('prepare'),
    abort: async () => void steps.push('abort'),
    clean: async () => void steps.push('clean'),
  }
}
