/** Proves who is let through when: rates, bursts, sizes, turns between members, limits that change. All on a clock that stands still. */

import { describe, expect, test } from 'vitest'
import { type Direction, ThrottleGroup, type ThrottleLimits, type ThrottleMember } from '../src/index.ts'
import { ManualClock, settled } from './support.ts'

function newGroup(limits: ThrottleLimits): { clock: ManualClock; group: ThrottleGroup } {
  const clock = new ManualClock()
  return { clock, group: new ThrottleGroup('g', limits, { clock }) }
}

/** Sends requests, and notes when they are let through: `name@milliseconds`. */
function sender(clock: ManualClock): {
  log: string[]
  send: (member: ThrottleMember, name: string, direction?: Direction, bytes?: number) => Promise<void>
} {
  const log: string[] = []
  return {
    log,
    send: async (member, name, direction = 'read', bytes = 512) => {
      await member.admit(direction, bytes)
      log.push(`${name}@${Math.round(clock.now())}`)
    },
  }
}

describe('rates', () => {
  test('requests per second', async () => {
    const { clock, group } = newGroup({ iopsTotal: 10 })
    const { log, send } = sender(clock)
    const member = group.join()
    const all = Promise.all(['a', 'b', 'c', 'd'].map((name) => send(member, name)))
    await settled()
    // One is the tenth of a second's worth; the second is let in and counted after.
    expect(log).toEqual(['a@0', 'b@0'])
    await clock.advance(1000)
    await all
    expect(log).toEqual(['a@0', 'b@0', 'c@100', 'd@200'])
    expect(clock.timers).toBe(0)
  })

  test('bytes per second, of any size', async () => {
    const { clock, group } = newGroup({ bpsWrite: 1000 })
    const { log, send } = sender(clock)
    const member = group.join()
    void send(member, 'large', 'write', 10_100)
    void send(member, 'small', 'write', 1)
    void send(member, 'last', 'write', 1)
    void send(member, 'read', 'read', 1e6)
    await clock.advance(20_000)
    expect(log).toEqual(['large@0', 'read@0', 'small@10000', 'last@10001'])
  })

  test('a large request counts as several', async () => {
    const { clock, group } = newGroup({ iopsTotal: 10, iopsSize: 1000 })
    const { log, send } = sender(clock)
    const member = group.join()
    for (const name of ['a', 'b', 'c']) void send(member, name, 'read', 2500)
    await clock.advance(2000)
    expect(log).toEqual(['a@0', 'b@150', 'c@400'])
  })

  test('in the long run the rate is exact', async () => {
    const { clock, group } = newGroup({ bpsTotal: 1_000_000 })
    const { log, send } = sender(clock)
    const member = group.join()
    for (let i = 0; i < 200; i++) void send(member, `${i}`, i % 3 === 0 ? 'write' : 'read', 5000)
    await clock.advance(500)
    // 100 ms of slack, half a second of rate, and the one that is admitted before it is counted.
    expect(log.length).toBe(121)
    await clock.advance(400)
    expect(log.length).toBe(200)
  })

  test('a burst comes at once, a long one at its own rate', async () => {
    const short = newGroup({ iopsTotal: 10, iopsTotalMax: 50 })
    const one = sender(short.clock)
    const first = short.group.join()
    for (let i = 0; i < 60; i++) void one.send(first, `${i}`)
    await short.clock.advance(0)
    expect(one.log.length).toBe(51)
    await short.clock.advance(500)
    expect(one.log.length).toBe(56)

    const long = newGroup({ iopsTotal: 10, iopsTotalMax: 50, iopsTotalMaxLength: 4 })
    const two = sender(long.clock)
    const second = long.group.join()
    for (let i = 0; i < 300; i++) void two.send(second, `${i}`)
    await long.clock.advance(1000)
    expect(two.log.length).toBe(56)
    // The bucket holds 200 and leaks 10 a second: full after some five seconds at 50, then 10 a second.
    await long.clock.advance(4000)
    const full = two.log.length
    expect(full).toBeGreaterThan(240)
    await long.clock.advance(2000)
    expect(two.log.length).toBe(full + 20)
  })
})

// One request after the other, and what qemu-io took for them there: 316, 937, 417, 413 and 1121 ms, its start of 10 to 15 ms included.
describe('series take as long as in the reference', () => {
  const ones = (count: number) => Array.from({ length: count }, () => 1)
  test.each([
    [{ iopsTotal: 10 }, [4096, 4096, 4096, 4096, 4096], 300],
    [{ bpsTotal: 100_000 }, [102_400, 4096], 924],
    [{ iopsTotal: 10, iopsSize: 1000 }, [2500, 2500, 1], 400],
    [{ iopsTotal: 10, iopsTotalMax: 20 }, ones(25), 400],
    [{ iopsTotal: 10, iopsTotalMax: 20, iopsTotalMaxLength: 2 }, ones(25), 1100],
  ])('%o', async (limits, requests, milliseconds) => {
    const { clock, group } = newGroup(limits)
    const member = group.join()
    let end = 0
    const series = async () => {
      for (const bytes of requests) await member.admit('read', bytes)
      end = clock.now()
    }
    const done = series()
    await clock.advance(5000)
    await done
    expect(Math.round(end)).toBe(milliseconds)
  })
})

describe('turns', () => {
  test('members take turns, each in its own order', async () => {
    const { clock, group } = newGroup({ iopsTotal: 10 })
    const { log, send } = sender(clock)
    const [a, b, c] = [group.join(), group.join(), group.join()]
    for (const name of ['a0', 'a1', 'a2', 'a3', 'a4']) void send(a, name)
    for (const name of ['b0', 'b1']) void send(b, name)
    void send(c, 'c0')
    await clock.advance(1000)
    expect(log.map((entry) => entry.split('@')[0])).toEqual(['a0', 'a1', 'a2', 'b0', 'c0', 'a3', 'b1', 'a4'])
  })

  test('below a total limit reads and writes take turns', async () => {
    const { clock, group } = newGroup({ iopsTotal: 10 })
    const { log, send } = sender(clock)
    const member = group.join()
    for (let i = 0; i < 4; i++) void send(member, `r${i}`, 'read')
    for (let i = 0; i < 4; i++) void send(member, `w${i}`, 'write')
    await clock.advance(1000)
    expect(log.map((entry) => entry.split('@')[0]).join(' ')).toBe('r0 r1 w0 r2 w1 r3 w2 w3')
  })

  test('a limit of reads does not hold writes up', async () => {
    const { clock, group } = newGroup({ iopsRead: 1, iopsWrite: 100 })
    const { log, send } = sender(clock)
    const member = group.join()
    for (let i = 0; i < 3; i++) void send(member, `r${i}`, 'read')
    for (let i = 0; i < 3; i++) void send(member, `w${i}`, 'write')
    await settled()
    expect(log).toEqual(['r0@0', 'w0@0', 'w1@0', 'w2@0'])
    await clock.advance(900)
    expect(log.slice(4)).toEqual(['r1@900'])
  })

  test('who comes when the time has come, but before the timer, waits behind those who wait', async () => {
    const { clock, group } = newGroup({ iopsTotal: 10 })
    const { log, send } = sender(clock)
    const [a, b] = [group.join(), group.join()]
    for (const name of ['a0', 'a1', 'a2']) void send(a, name)
    await settled()
    clock.lag(100)
    void send(b, 'b0')
    await settled()
    expect(log).toEqual(['a0@0', 'a1@0', 'a2@100'])
    await clock.advance(1000)
    expect(log.slice(3)).toEqual(['b0@200'])
  })
})

describe('changes', () => {
  test('new limits hold for those who wait, the others stay', async () => {
    const { clock, group } = newGroup({ iopsTotal: 1, bpsRead: 1_000_000 })
    const { log, send } = sender(clock)
    const member = group.join()
    for (let i = 0; i < 5; i++) void send(member, `${i}`)
    await settled()
    expect(log.length).toBe(1)
    group.setLimits({ iopsTotal: 0 })
    await settled()
    expect(log.length).toBe(5)
    expect(group.limits).toMatchObject({ iopsTotal: 0, bpsRead: 1_000_000, bpsReadMaxLength: 1 })
    expect(clock.timers).toBe(0)
  })

  test('what was let through before a limit came is not counted against it', async () => {
    const { clock, group } = newGroup({ bpsTotal: 1e12 })
    const { log, send } = sender(clock)
    const member = group.join()
    await send(member, 'a', 'write', 1e12)
    group.setLimits({ bpsTotal: 1000 })
    await send(member, 'b', 'write', 50)
    expect(log).toEqual(['a@0', 'b@0'])
  })

  test('limits that do not fit change nothing', () => {
    const { group } = newGroup({ iopsTotal: 10 })
    expect(() => group.setLimits({ bpsTotal: 5, iopsRead: 6 })).toThrow(
      'bps/iops/max total values and read/write values cannot be used at the same time',
    )
    expect(group.limits).toMatchObject({ iopsTotal: 10, bpsTotal: 0, iopsRead: 0 })
    expect(() => new ThrottleGroup('x', { bpsTotalMax: 5 })).toThrow('bps_max/iops_max require corresponding')
  })

  test('a member without limits passes, is counted, and makes nobody wait who need not', async () => {
    const { clock, group } = newGroup({ iopsTotal: 10 })
    const { log, send } = sender(clock)
    const [a, b] = [group.join(), group.join()]
    for (let i = 0; i < 4; i++) void send(a, `a${i}`)
    for (let i = 0; i < 4; i++) void send(b, `b${i}`)
    await settled()
    expect(log).toEqual(['a0@0', 'a1@0'])
    a.suspendLimits()
    a.suspendLimits()
    await settled()
    expect(log.slice(2)).toEqual(['a2@0', 'a3@0'])
    await send(a, 'a4')
    a.resumeLimits()
    expect(a.unlimited).toBe(true)
    a.resumeLimits()
    expect(a.unlimited).toBe(false)
    // Five were let through; one is slack.
    await clock.advance(399)
    expect(log.filter((entry) => entry.startsWith('b'))).toEqual([])
    await clock.advance(1)
    expect(log.filter((entry) => entry.startsWith('b'))).toEqual(['b0@400'])
    await clock.advance(1000)
    expect(clock.timers).toBe(0)
  })
})
