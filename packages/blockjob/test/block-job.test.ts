/** Proves speed, io-status, the error policy and the events of block jobs, with work that the tests write. */
import { BlockError } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import { errorAction, type OnError } from '../src/block-job.ts'
import { settle } from './helpers/manual-clock.ts'
import { messageOf, shortly, testJob } from './helpers/test-job.ts'

const policies: readonly [OnError, string, string][] = [
  ['report', 'report', 'report'],
  ['ignore', 'ignore', 'ignore'],
  ['stop', 'stop', 'stop'],
  ['enospc', 'stop', 'report'],
]

// spec/jobs.md, section 14
test.each(policies)('policy %s: %s for a full disk, else %s', (policy, full, other) => {
  expect(errorAction(policy, BlockError.fromErrno('ENOSPC'))).toBe(full)
  expect(errorAction(policy, BlockError.fromErrno('EIO'))).toBe(other)
})

describe('speed', () => {
  test('a negative one is refused, at creation and later', async () => {
    const text = "Parameter 'speed' expects a non-negative value"
    expect(await messageOf(() => testJob({ speed: -1 }))).toBe(text)
    const { job } = testJob()
    expect(await messageOf(() => job.setSpeed(-1))).toBe(text)
  })

  /** A job that copies chunks of 1000 bytes for ever. */
  function copier(speed: number): ReturnType<typeof testJob> {
    const made = testJob({ speed })
    const { job } = made
    job.start({
      run: async () => {
        while (!job.isForceCancelled) {
          job.meter.workDone(1000)
          await job.sleep(job.delayAfter(1000))
        }
      },
    })
    return made
  }

  test('keeps a job to it', async () => {
    const { job, clock } = copier(1000)
    await clock.advance(10_000)
    expect(job.progress.current).toBe(11_000)
    await job.cancelSync({ force: true })
  })

  test('a higher one wakes a sleeping job, a lower one does not', async () => {
    const { job, clock } = copier(10)
    await settle()
    expect(clock.next).toBe(100_000)
    job.setSpeed(5)
    await settle()
    expect(job.progress.current).toBe(1000)
    job.setSpeed(20)
    await settle()
    expect(job.progress.current).toBe(2000)
    job.setSpeed(0)
    await settle()
    expect(job.progress.current).toBe(3000)
    expect(clock.next).toBe(0)
    await job.cancelSync({ force: true })
  })

  test('a pause drops the pending delay', async () => {
    const { job } = copier(1)
    await settle()
    expect(job.progress.current).toBe(1000)
    await job.pause()
    job.resume()
    await settle()
    expect(job.progress.current).toBe(2000)
    await job.cancelSync({ force: true })
  })
})

describe('errors', () => {
  test('stop pauses the job as its user would, and the first error sets the io-status', async () => {
    const { job, events } = testJob()
    job.start({
      run: async () => {
        job.handleError('write', 'stop', BlockError.fromErrno('ENOSPC'))
        job.handleError('read', 'stop', BlockError.fromErrno('EIO'))
        await job.pausePoint()
      },
    })
    await settle()
    expect(job.info()).toMatchObject({ status: 'paused', paused: true, busy: false, ioStatus: 'nospace' })
    expect(await messageOf(() => job.pause())).toBe('Job is already paused')
    job.resume()
    expect(job.info().ioStatus).toBe('ok')
    await job.done
    expect(shortly(events)).toEqual([
      'created',
      'running',
      'BLOCK_JOB_ERROR write/stop',
      'BLOCK_JOB_ERROR read/stop',
      'paused',
      'running',
      'waiting',
      'pending',
      'BLOCK_JOB_COMPLETED',
      'concluded',
      'null',
    ])
  })

  test('any other error than a full disk is a failure', async () => {
    const { job } = testJob()
    job.start({
      run: async () => {
        job.handleError('read', 'stop', BlockError.fromErrno('EIO'))
        await job.pausePoint()
      },
    })
    await settle()
    expect(job.info().ioStatus).toBe('failed')
    await job.cancelSync({ force: true })
  })

  test('ignore and report leave the job running', async () => {
    const { job } = testJob()
    expect(job.handleError('read', 'ignore', BlockError.fromErrno('EIO'))).toBe('ignore')
    expect(job.handleError('read', 'report', BlockError.fromErrno('EIO'))).toBe('report')
    expect(job.info()).toMatchObject({ ioStatus: 'ok' })
  })
})

test('what a query says from the first to the last moment', async () => {
  const { job } = testJob({ speed: 7, autoDismiss: false })
  expect(job.info()).toEqual({
    type: 'mirror',
    device: 'job1',
    len: 0,
    offset: 0,
    busy: false,
    paused: true,
    speed: 7,
    ioStatus: 'ok',
    ready: false,
    status: 'created',
    autoFinalize: true,
    autoDismiss: false,
  })
  let busy: boolean | undefined
  job.start({
    run: async () => {
      busy = job.info().busy
      job.meter.setRemaining(10)
      throw BlockError.fromErrno('EIO')
    },
  })
  expect(await messageOf(() => job.done)).toBe('Input/output error')
  expect(busy).toBe(true)
  expect(job.info()).toMatchObject({
    len: 10,
    busy: false,
    paused: false,
    status: 'concluded',
    error: 'Input/output error',
  })
})
