/** Proves complete_sync, `ready`, and that every command is refused in every state that does not take it. */
import { BlockError } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import type { Job, JobStatus } from '../src/index.ts'
import { settle } from './helpers/manual-clock.ts'
import { failureOf, messageOf, readyHooks, shortly, testJob } from './helpers/test-job.ts'

describe('complete_sync (patch 04)', () => {
  test('completes a ready job and waits for its end', async () => {
    const made = testJob()
    made.job.start(readyHooks(made))
    await made.job.whenReady()
    await made.job.completeSync()
    expect(shortly(made.events).filter((name) => name === 'BLOCK_JOB_COMPLETED')).toHaveLength(1)
    // No dangling reference: the job is gone.
    expect([made.job.status, made.list.all]).toEqual(['null', []])
  })

  test("gives the failure's code", async () => {
    const made = testJob()
    made.job.start({ ...readyHooks(made), prepare: () => Promise.reject(BlockError.fromErrno('ENOSPC')) })
    await made.job.whenReady()
    expect(await failureOf(() => made.job.completeSync())).toMatchObject({ code: 'ENOSPC' })
  })

  test('is harmless for a job that failed before it was ready', async () => {
    const made = testJob()
    made.job.start({ ...readyHooks(made), run: () => Promise.reject(BlockError.fromErrno('EIO')) })
    await made.job.whenReady()
    expect(await failureOf(() => made.job.completeSync())).toMatchObject({ code: 'EIO' })
  })

  test('cannot complete what is not ready', async () => {
    const made = testJob()
    const paused = made.job.pause()
    made.job.start(readyHooks(made))
    await paused
    expect(await failureOf(() => made.job.completeSync())).toMatchObject({
      code: 'EBUSY',
      message: "Job 'job1' in state 'paused' cannot accept command verb 'complete'",
    })
    await made.job.cancelSync({ force: true })
  })

  test('comes back from a job that waits for finalize', async () => {
    const made = testJob({ autoFinalize: false })
    made.job.start(readyHooks(made))
    await made.job.whenReady()
    await made.job.completeSync()
    expect(made.job.status).toBe('pending')
    made.job.finalize()
    await made.job.done
  })

  test('of a cancelled or hookless job is refused', async () => {
    const text = "The active block job 'job1' cannot be completed"
    const slow = testJob()
    slow.job.start({
      cancel: (force) => force,
      run: async () => {
        slow.job.becomeReady()
        await slow.job.sleep(1)
      },
    })
    await slow.job.whenReady()
    expect(await messageOf(() => slow.job.completeSync())).toBe(text)
    await slow.job.cancel()
    await slow.job.done
    const cancelled = testJob()
    cancelled.job.start({
      ...readyHooks(cancelled),
      run: async () => {
        cancelled.job.becomeReady()
        await cancelled.job.sleep(10)
        await cancelled.job.sleep(10)
      },
    })
    await cancelled.job.whenReady()
    await cancelled.job.cancel()
    expect(await messageOf(() => cancelled.job.complete())).toBe(text)
    await cancelled.clock.advance(20)
    await cancelled.job.done
  })
})

describe('ready (patch 05)', () => {
  test('is false until the event and true from then on, offset equal to len', async () => {
    const seen: boolean[] = []
    const made = testJob({}, (job) => seen.push(job.ready))
    expect(made.job.ready).toBe(false)
    made.job.start(readyHooks(made))
    await made.job.whenReady()
    expect(made.job.ready).toBe(true)
    await made.job.completeSync()
    expect(made.job.ready).toBe(false)
    // running, ready, READY, waiting, pending, COMPLETED, concluded, null
    expect(seen).toEqual([false, true, true, false, false, false, false, false])
  })
})

describe('refusals', () => {
  const commands: Record<string, (job: Job) => unknown> = {
    cancel: (job) => job.cancel({ force: true }),
    pause: (job) => job.pause(),
    'set-speed': (job) => job.setSpeed(1),
    complete: (job) => job.complete(),
    finalize: (job) => job.finalize(),
    dismiss: (job) => job.dismiss(),
  }
  const refused: Record<JobStatus, readonly string[]> = {
    created: ['complete', 'finalize', 'dismiss'],
    running: ['complete', 'finalize', 'dismiss'],
    paused: ['complete', 'finalize', 'dismiss'],
    ready: ['finalize', 'dismiss'],
    standby: ['finalize', 'dismiss'],
    waiting: ['pause', 'set-speed', 'complete', 'finalize', 'dismiss'],
    pending: ['pause', 'set-speed', 'complete', 'dismiss'],
    aborting: ['cancel', 'pause', 'set-speed', 'complete', 'finalize', 'dismiss'],
    concluded: ['cancel', 'pause', 'set-speed', 'complete', 'finalize'],
    null: ['cancel', 'pause', 'set-speed', 'complete', 'finalize', 'dismiss'],
  }
  const refuse = (job: Job): Promise<void>[] => {
    const { status } = job
    return refused[status].map(async (verb) => {
      const text = `Job 'job1' in state '${status}' cannot accept command verb '${verb}'`
      expect(await failureOf(() => commands[verb]!(job))).toMatchObject({ code: 'EPERM', message: text })
    })
  }

  test('in every state of a job that goes well', async () => {
    const checks: Promise<void>[] = []
    const seen: string[] = []
    const made = testJob({ autoFinalize: false, autoDismiss: false }, (job, { event }) => {
      if (event !== 'JOB_STATUS_CHANGE') return
      seen.push(job.status)
      checks.push(...refuse(job))
    })
    checks.push(...refuse(made.job))
    const paused = made.job.pause()
    made.job.start(readyHooks(made))
    await paused
    made.job.resume()
    await made.job.whenReady()
    await made.job.pause()
    made.job.resume()
    await settle()
    await made.job.complete()
    await settle()
    made.job.finalize()
    await made.job.done
    made.job.dismiss()
    await Promise.all(checks)
    expect(new Set(seen)).toEqual(
      new Set(['running', 'paused', 'ready', 'standby', 'waiting', 'pending', 'concluded', 'null']),
    )
  })

  test('while a failed job is cleaned up', async () => {
    const checks: Promise<void>[] = []
    const made = testJob()
    made.job.start({
      run: () => Promise.reject(BlockError.fromErrno('EIO')),
      abort: async () => void checks.push(...refuse(made.job)),
    })
    expect(await messageOf(() => made.job.done)).toBe('Input/output error')
    expect(checks).toHaveLength(refused.aborting.length)
    await Promise.all(checks)
  })

  test('resume is asked for the pause first, then for the state', async () => {
    const made = testJob()
    let refusal: string | undefined
    made.job.start({
      run: async () => void made.job.pause(),
      prepare: async () => {
        refusal = await messageOf(() => made.job.resume())
      },
    })
    await made.job.done
    expect(refusal).toBe("Job 'job1' in state 'pending' cannot accept command verb 'resume'")
  })

  test('a transition that the table does not have is a bug', () => {
    const { job } = testJob()
    expect(() => job.becomeReady()).toThrow("job 'job1' cannot go from 'created' to 'ready'")
    job.start({ run: async () => {} })
    expect(() => job.start({ run: async () => {} })).toThrow('a job is started once')
  })
})
