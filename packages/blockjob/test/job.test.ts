/** Proves a job's life: the order of states, events and steps, with pauses, cancels and signals on the way. */
import { BlockError } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import { settle } from './helpers/manual-clock.ts'
import { failureOf, messageOf, readyHooks, shortly, testJob } from './helpers/test-job.ts'

describe('from start to end', () => {
  test('success: prepare, then clean, then the last events', async () => {
    const made = testJob()
    const steps: string[] = []
    made.job.start({
      setup: async () => void steps.push('setup'),
      run: async () => void steps.push(`run ${made.job.status}`),
      prepare: async () => void steps.push(`prepare ${made.job.status}`),
      abort: async () => void steps.push('abort'),
      clean: async () => void steps.push(`clean ${shortly(made.events).at(-1)}`),
    })
    await made.job.started
    await made.job.done
    expect(steps).toEqual(['setup', 'run running', 'prepare pending', 'clean pending'])
    expect(shortly(made.events)).toEqual([
      'created',
      'running',
      'waiting',
      'pending',
      'BLOCK_JOB_COMPLETED',
      'concluded',
      'null',
    ])
    expect(made.list.all).toEqual([])
    expect(made.job.error).toBeUndefined()
  })

  test.each(['run', 'prepare'] as const)('a failure in %s aborts', async (where) => {
    const made = testJob()
    const steps: string[] = []
    made.job.start({
      run: async () => {},
      abort: async () => void steps.push('abort'),
      clean: async () => void steps.push('clean'),
      [where]: async () => {
        throw BlockError.fromErrno('ENOSPC')
      },
    })
    await made.job.started
    expect(await messageOf(() => made.job.done)).toBe('No space left on device')
    expect(steps).toEqual(['abort', 'clean'])
    const worked = where === 'prepare' ? ['waiting', 'pending'] : []
    expect(shortly(made.events).slice(2)).toEqual([
      ...worked,
      'aborting',
      'BLOCK_JOB_COMPLETED No space left on device',
      'concluded',
      'null',
    ])
  })

  // What kept a job from being set up is the error of the command that started it: the job never was.
  test('a failure in setup leaves only created and null', async () => {
    const made = testJob()
    made.job.start({
      setup: async () => {
        throw new BlockError('EACCES', "Could not open 'base': Permission denied")
      },
      run: async () => {
        throw new Error('not reached')
      },
    })
    expect(await messageOf(() => made.job.started)).toBe("Could not open 'base': Permission denied")
    expect(await messageOf(() => made.job.done)).toBe("Could not open 'base': Permission denied")
    expect(shortly(made.events)).toEqual(['created', 'null'])
    expect(made.list.all).toEqual([])
  })

  test('a failure in clean is reported, though the job took effect', async () => {
    const made = testJob()
    made.job.start({
      run: async () => {},
      clean: async () => {
        throw BlockError.fromErrno('EIO')
      },
    })
    expect(await messageOf(() => made.job.done)).toBe('Input/output error')
    expect(shortly(made.events).slice(2)).toEqual([
      'waiting',
      'pending',
      'BLOCK_JOB_COMPLETED Input/output error',
      'concluded',
      'null',
    ])
  })

  test('what is thrown need not be an error', async () => {
    const made = testJob()
    made.job.start({ run: () => Promise.reject('a string') })
    expect(await messageOf(() => made.job.done)).toBe('a string')
  })
})

describe('finalize and dismiss by hand', () => {
  test('each waits for its command', async () => {
    const made = testJob({ autoFinalize: false, autoDismiss: false })
    const steps: string[] = []
    made.job.start({ run: async () => {}, prepare: async () => void steps.push('prepare') })
    await settle()
    expect([made.job.status, steps]).toEqual(['pending', []])
    made.job.finalize()
    await made.job.done
    expect([made.job.status, steps]).toEqual(['concluded', ['prepare']])
    expect(made.list.all).toEqual([made.job])
    made.job.dismiss()
    expect(made.list.all).toEqual([])
    expect(shortly(made.events)).toEqual([
      'created',
      'running',
      'waiting',
      'pending',
      'BLOCK_JOB_PENDING',
      'BLOCK_JOB_COMPLETED',
      'concluded',
      'null',
    ])
  })

  test('a forced cancel of a pending job aborts it, a soft one comes too late', async () => {
    const made = testJob({ autoFinalize: false })
    made.job.start({ run: async () => {} })
    await settle()
    await made.job.cancel()
    await settle()
    expect(made.job.status).toBe('pending')
    await made.job.cancelSync({ force: true })
    expect(await messageOf(() => made.job.done)).toBe('Operation canceled')
    expect(shortly(made.events).slice(-4)).toEqual(['aborting', 'BLOCK_JOB_CANCELLED', 'concluded', 'null'])
  })

  // Half of an effect is worse than the whole of it.
  test('nothing stops a job that takes effect', async () => {
    const made = testJob()
    made.job.start({ run: async () => {}, prepare: () => made.job.cancel({ force: true }) })
    await made.job.done
    expect(shortly(made.events)).not.toContain('aborting')
  })
})

describe('pause', () => {
  test('twice, and resume without pause', async () => {
    const made = testJob()
    made.job.start(readyHooks(made))
    expect(await messageOf(() => made.job.resume())).toBe("Can't resume a job that was not paused")
    await made.job.pause()
    expect(await messageOf(() => made.job.pause())).toBe('Job is already paused')
    made.job.resume()
    expect(await messageOf(() => made.job.resume())).toBe("Can't resume a job that was not paused")
    await made.job.cancelSync({ force: true })
  })

  test('a ready job stands by, and its work is quiet first', async () => {
    const made = testJob()
    const steps: string[] = []
    made.job.start(readyHooks(made, steps))
    await made.job.whenReady()
    await made.job.pause()
    expect([made.job.status, made.job.ready, steps]).toEqual(['standby', true, ['pause']])
    made.job.resume()
    await settle()
    expect(made.job.status).toBe('ready')
    await made.job.cancelSync({ force: true })
  })

  test('a job paused before it runs shows both states', async () => {
    const made = testJob()
    const paused = made.job.pause()
    made.job.start(readyHooks(made))
    await paused
    expect(shortly(made.events)).toEqual(['created', 'running', 'paused'])
    made.job.resume()
    await made.job.whenReady()
    await made.job.cancelSync({ force: true })
  })

  test('pausing a job that ends instead of standing still comes back too', async () => {
    const made = testJob()
    let release = (): void => {}
    made.job.start({
      run: () =>
        new Promise<void>((resolve) => {
          release = resolve
        }),
    })
    await made.job.started
    const paused = made.job.pause()
    release()
    await paused
    await made.job.done
  })

  test('completing a paused ready job is remembered', async () => {
    const made = testJob()
    made.job.start(readyHooks(made))
    await made.job.whenReady()
    await made.job.pause()
    await made.job.complete()
    await settle()
    expect(made.job.status).toBe('standby')
    made.job.resume()
    await made.job.done
  })
})

describe('cancel', () => {
  test('soft: a ready job ends well', async () => {
    const made = testJob()
    const steps: string[] = []
    made.job.start(readyHooks(made, steps))
    await made.job.whenReady()
    await made.job.cancelSync()
    await made.job.done
    expect(steps).toEqual(['prepare', 'clean'])
    expect(shortly(made.events).slice(-4)).toEqual(['pending', 'BLOCK_JOB_COMPLETED', 'concluded', 'null'])
  })

  test('by force: a ready job is aborted', async () => {
    const made = testJob()
    const steps: string[] = []
    made.job.start(readyHooks(made, steps))
    await made.job.whenReady()
    await made.job.cancelSync({ force: true })
    expect(await failureOf(() => made.job.done)).toMatchObject({ code: 'ECANCELED', message: 'Operation canceled' })
    expect(steps).toEqual(['abort', 'clean'])
    expect(shortly(made.events).slice(-4)).toEqual(['aborting', 'BLOCK_JOB_CANCELLED', 'concluded', 'null'])
  })

  test('without a cancel hook every cancel is by force', async () => {
    const made = testJob()
    made.job.start({
      run: async () => {
        while (!made.job.isForceCancelled) await made.job.sleep(100)
      },
    })
    await made.job.started
    await made.job.cancelSync()
    expect(shortly(made.events)).toContain('BLOCK_JOB_CANCELLED')
  })

  test('a paused job takes only a forced one, and runs on to its end', async () => {
    const made = testJob()
    made.job.start(readyHooks(made))
    await made.job.whenReady()
    await made.job.pause()
    expect(await messageOf(() => made.job.cancel())).toBe("The block job for device 'job1' is currently paused")
    await made.job.cancelSync({ force: true })
    expect(shortly(made.events).slice(-6)).toEqual([
      'standby',
      'ready',
      'aborting',
      'BLOCK_JOB_CANCELLED',
      'concluded',
      'null',
    ])
  })

  // spec/jobs.md, section 5: COMPLETED and CANCELLED are only for jobs that were started.
  test('before the start: no BLOCK_JOB event', async () => {
    const made = testJob()
    await made.job.cancel({ force: true })
    const steps: string[] = []
    made.job.start({ setup: async () => void steps.push('setup'), run: async () => void steps.push('run') })
    expect(await messageOf(() => made.job.done)).toBe('Operation canceled')
    expect(await messageOf(() => made.job.started)).toBe('Operation canceled')
    expect([steps, shortly(made.events)]).toEqual([[], ['created', 'aborting', 'concluded', 'null']])
  })
})

describe('a signal', () => {
  test('cancels by force, and done rejects with its reason', async () => {
    const controller = new AbortController()
    const made = testJob({ signal: controller.signal })
    made.job.start(readyHooks(made))
    await made.job.whenReady()
    await made.job.pause()
    const reason = { any: 'value' }
    controller.abort(reason)
    expect(await failureOf(() => made.job.done)).toBe(reason)
    expect(shortly(made.events)).toContain('BLOCK_JOB_CANCELLED')
    expect(made.job.error).toMatchObject({ code: 'ECANCELED' })
  })

  test('that is aborted already keeps the job from starting', async () => {
    const made = testJob({ signal: AbortSignal.abort('too late') })
    made.job.start(readyHooks(made))
    expect(await failureOf(() => made.job.started)).toBe('too late')
    expect(shortly(made.events)).toEqual(['created', 'aborting', 'concluded', 'null'])
  })

  test('does nothing to a job that has ended, nor hides why one failed', async () => {
    const controller = new AbortController()
    const made = testJob({ signal: controller.signal, autoDismiss: false })
    made.job.start({ run: () => Promise.reject(BlockError.fromErrno('EIO')) })
    expect(await messageOf(() => made.job.done)).toBe('Input/output error')
    controller.abort('later')
    expect(await messageOf(() => made.job.done)).toBe('Input/output error')
  })
})
