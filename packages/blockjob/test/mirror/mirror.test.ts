/** Proves the engine's loop: progress, readiness, speed, pause, and what each error policy makes of each kind of error. */
import type { JobProgress } from '@blocklayer/block-core'
import { describe, expect, test } from 'vitest'
import { type CommitOptions, commit, type Job, type JobEvent } from '../../src/index.ts'
import { type Chain, firstDifference, KiB, MiB, openChain, reread, threeImages } from '../helpers/chain.ts'
import type { FaultRule } from '../helpers/fault-driver.ts'
import { ManualClock, settle } from '../helpers/manual-clock.ts'
import { messageOf, shortly } from '../helpers/test-job.ts'

interface Run {
  readonly chain: Chain
  readonly job: Job
  readonly events: JobEvent[]
  readonly progress: JobProgress[]
  readonly clock: ManualClock
}

/** A commit of the three images into the lowest one that stays ready. */
async function run(options: Partial<CommitOptions> = {}, prepare?: (chain: Chain) => void): Promise<Run> {
  const chain = await openChain(threeImages)
  prepare?.(chain)
  const events: JobEvent[] = []
  const progress: JobProgress[] = []
  const clock = new ManualClock()
  const job = commit(chain.graph, {
    top: chain.disk.root,
    autoComplete: false,
    clock,
    onEvent: (event) => events.push(event),
    onProgress: (pair) => progress.push(pair),
    ...options,
  })
  return { chain, job, events, progress, clock }
}

describe('progress (patch 07)', () => {
  test('an active commit of 256 KiB is 262144 bytes long', async () => {
    const chain = await openChain(threeImages)
    const events: JobEvent[] = []
    const options = { top: chain.disk.root, base: chain.node('mid'), onEvent: (event: JobEvent) => events.push(event) }
    await commit(chain.graph, options).done
    const data = { type: 'commit', device: 'commit0', len: 262144, offset: 262144, speed: 0 }
    expect(events).toContainEqual({ event: 'BLOCK_JOB_READY', data })
    expect(events).toContainEqual({ event: 'BLOCK_JOB_COMPLETED', data })
    await chain.graph.close()
  })

  test('128 KiB of 64 MiB are 131072 bytes', async () => {
    const length = 64 * MiB
    const chain = await openChain([
      { name: 'base', length },
      { name: 'top', length, writes: [[5 * MiB, 128 * KiB, 1]] },
    ])
    const job = commit(chain.graph, { top: chain.disk.root })
    await job.done
    expect(job.progress).toEqual({ current: 131072, total: 131072 })
    await chain.graph.close()
  })

  test.each([0, 4 * MiB])('an empty overlay of %i bytes is 0 of 0', async (length) => {
    const chain = await openChain([
      { name: 'base', length },
      { name: 'top', length },
    ])
    const job = commit(chain.graph, { top: chain.disk.root, autoComplete: false })
    await job.whenReady()
    expect([job.ready, job.progress]).toEqual([true, { current: 0, total: 0 }])
    await job.completeSync()
    await chain.graph.close()
  })

  test('offset never shrinks, len may grow, and both are equal when all is copied', async () => {
    const { chain, job, progress, clock } = await run()
    await job.whenReady()
    expect(job.progress).toEqual({ current: 786432, total: 786432 })
    // After ready, a write of 5000 bytes adds its 64 KiB within about 100 ms (spec/jobs.md, section 17.7).
    await chain.disk.write(3 * MiB, new Uint8Array(5000).fill(9))
    await clock.advance(100)
    expect(job.progress).toEqual({ current: 786432 + 65536, total: 786432 + 65536 })
    expect(progress.every(({ current }, i) => current >= (progress[i - 1]?.current ?? 0))).toBe(true)
    expect(progress.every(({ current, total }) => current <= total)).toBe(true)
    await job.completeSync()
    await chain.graph.close()
  })
})

describe('ready', () => {
  test('is a sleeping job, whose target has been flushed', async () => {
    const { chain, job, events } = await run()
    await job.whenReady()
    await settle()
    expect(job.info()).toMatchObject({ ready: true, busy: false, len: 786432, offset: 786432 })
    expect(chain.layer('base').faults.of('flush')).toHaveLength(1)
    await job.completeSync()
    expect(shortly(events)).toEqual([
      'created',
      'running',
      'ready',
      'BLOCK_JOB_READY',
      'waiting',
      'pending',
      'BLOCK_JOB_COMPLETED',
      'concluded',
      'null',
    ])
    await chain.graph.close()
  })

  test('what is written after the last look is in the base before the end', async () => {
    const { chain, job } = await run()
    await job.whenReady()
    await settle()
    const writes = [0, 1, 2, 3].map((index) => chain.disk.write(index * MiB, new Uint8Array(KiB).fill(0xa0 + index)))
    await Promise.all([job.completeSync(), ...writes])
    await chain.graph.close()
    const base = await reread(chain, 'base')
    expect([0, 1, 2, 3].map((index) => base[index * MiB])).toEqual([0xa0, 0xa1, 0xa2, 0xa3])
  })
})

describe('speed and pause', () => {
  test('32 MiB at 8 MiB/s take four seconds', async () => {
    const length = 32 * MiB
    const chain = await openChain([
      { name: 'base', length },
      { name: 'top', length, writes: [[0, length, 3]] },
    ])
    const clock = new ManualClock()
    const job = commit(chain.graph, { top: chain.disk.root, clock, speed: 8 * MiB, autoComplete: false })
    await clock.advance(3800)
    expect(job.ready).toBe(false)
    await clock.advance(200)
    expect(job.ready).toBe(true)
    await job.completeSync()
    await chain.graph.close()
  })

  test('a job that is paused has nothing under way and goes on where it was', async () => {
    const { chain, job, clock } = await run({ speed: 1 })
    await settle()
    await job.pause()
    const faults = chain.layer('base').faults
    expect([job.status, faults.inFlight]).toEqual(['paused', 0])
    const { current } = job.progress
    expect(current).toBeGreaterThan(0)
    await clock.advance(10 ** 9)
    expect(job.progress.current).toBe(current)
    job.resume()
    job.setSpeed(0)
    await clock.advance(1)
    expect(job.ready).toBe(true)
    await job.completeSync()
    await chain.graph.close()
  })

  test('zeroes that the target can unmap are free', async () => {
    const chain = await openChain(threeImages)
    await chain.disk.writeZeroes(0, 4 * MiB)
    const job = commit(chain.graph, { top: chain.disk.root, clock: new ManualClock(), speed: 1, autoComplete: false })
    await job.whenReady()
    expect(job.ready).toBe(true)
    await job.completeSync()
    await chain.graph.close()
  })
})

describe('errors', () => {
  const write: FaultRule = { operation: 'write', code: 'ENOSPC' }

  test('report: the first one ends the job', async () => {
    const { chain, job, events } = await run({}, (made) =>
      made.layer('base').faults.add({ ...write, code: 'EIO', times: 1 }),
    )
    expect(await messageOf(() => job.done)).toBe('Input/output error')
    expect(shortly(events)).toEqual([
      'created',
      'running',
      'BLOCK_JOB_ERROR write/report',
      'aborting',
      'BLOCK_JOB_COMPLETED Input/output error',
      'concluded',
      'null',
    ])
    expect(job.progress.current).toBeLessThan(job.progress.total)
    await chain.graph.close()
  })

  test('stop: paused with a mark, then on from the same place', async () => {
    const { chain, job, events } = await run({ onError: 'stop' }, (made) =>
      made.layer('top').faults.add({ operation: 'read', code: 'EIO', times: 1 }),
    )
    await settle()
    expect(job.info()).toMatchObject({ status: 'paused', ioStatus: 'failed', offset: 524288, len: 786432 })
    job.resume()
    await job.whenReady()
    expect(shortly(events)).toEqual([
      'created',
      'running',
      'BLOCK_JOB_ERROR read/stop',
      'paused',
      'running',
      'ready',
      'BLOCK_JOB_READY',
    ])
    expect(job.progress).toEqual({ current: 786432, total: 786432 })
    await job.completeSync()
    await chain.graph.close()
  })

  test('stop for a full disk says so', async () => {
    const { chain, job } = await run({ onError: 'stop' }, (made) =>
      made.layer('base').faults.add({ ...write, times: 1 }),
    )
    await settle()
    expect(job.info().ioStatus).toBe('nospace')
    await job.cancelSync({ force: true })
    await chain.graph.close()
  })

  test('enospc: stops for a full disk, reports the rest', async () => {
    const full = await run({ onError: 'enospc' }, (made) => made.layer('base').faults.add({ ...write, times: 1 }))
    await settle()
    expect(full.job.status).toBe('paused')
    full.job.resume()
    await full.job.whenReady()
    await full.job.completeSync()
    const other = await run({ onError: 'enospc' }, (made) => made.layer('base').faults.add({ ...write, code: 'EIO' }))
    expect(await messageOf(() => other.job.done)).toBe('Input/output error')
    await full.chain.graph.close()
    await other.chain.graph.close()
  })

  test('ignore: the range is tried again until it works', async () => {
    const { chain, job, events } = await run({ onError: 'ignore' }, (made) =>
      made.layer('base').faults.add({ ...write, times: 3 }),
    )
    await job.whenReady()
    expect(shortly(events).slice(2)).toEqual([
      ...new Array(3).fill('BLOCK_JOB_ERROR write/ignore'),
      'ready',
      'BLOCK_JOB_READY',
    ])
    await job.completeSync()
    await chain.graph.close()
    expect(
      firstDifference((await reread(chain, 'base')).subarray(MiB, 1.5 * MiB), new Uint8Array(MiB / 2).fill(0x22)),
    ).toBeUndefined()
  })

  test.each(['report', 'ignore', 'stop'] as const)('a failing flush of the target, policy %s', async (onError) => {
    const { chain, job, events, clock } = await run({ onError }, (made) =>
      made.layer('base').faults.add({ operation: 'flush', code: 'EIO', times: 1 }),
    )
    await clock.advance(1000)
    expect(shortly(events)).toContain(`BLOCK_JOB_ERROR write/${onError}`)
    if (onError === 'report') {
      expect(await messageOf(() => job.done)).toBe('Input/output error')
      expect(shortly(events)).not.toContain('ready')
    } else {
      if (onError === 'stop') job.resume()
      await job.whenReady()
      await job.completeSync()
    }
    await chain.graph.close()
  })

  // The base is flushed again when guests have stopped: what they wrote since `ready` must be durable too.
  test('a failing last flush keeps the users on the top', async () => {
    const { chain, job } = await run()
    await job.whenReady()
    await chain.disk.write(0, new Uint8Array(KiB).fill(1))
    chain.layer('base').faults.add({ operation: 'flush', code: 'EIO' })
    expect(await messageOf(() => job.completeSync())).toBe('Input/output error')
    expect(chain.disk.root.nodeName).toBe('top')
    await chain.disk.write(0, new Uint8Array(KiB).fill(2))
    chain.layer('base').faults.rules = []
    await chain.graph.close()
  })

  test('a listener that throws ends the job with what it threw', async () => {
    const bug = new TypeError('listener')
    const chain = await openChain(threeImages)
    const job = commit(chain.graph, {
      top: chain.disk.root,
      onProgress: ({ current }) => {
        if (current > 0) throw bug
      },
    })
    expect(await messageOf(() => job.done)).toBe('listener')
    expect(job.error).toBe(bug)
    await chain.graph.close()
  })
})
