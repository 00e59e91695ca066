/** Proves the state machine's order: when rules arm, which of several decides, and what stays armed. */

import { describe, expect, test } from 'vitest'
import { type InjectErrorRule, RuleMachine, type SetStateRule } from '../src/rules.ts'

function inject(values: Partial<InjectErrorRule>): InjectErrorRule {
  return {
    event: 'write_aio',
    state: 0,
    ioType: undefined,
    errno: 'EIO',
    sector: undefined,
    once: false,
    immediately: false,
    ...values,
  }
}

function setState(values: Partial<SetStateRule>): SetStateRule {
  return { event: 'write_aio', state: 0, newState: 0, ...values }
}

const read = { type: 'read', offset: 0, bytes: 512 } as const
const write = { type: 'write', offset: 0, bytes: 512 } as const
const flush = { type: 'flush', offset: 0, bytes: 0 } as const

describe('arming', () => {
  test('a rule acts after its event, on all later requests', () => {
    const machine = new RuleMachine({ injectError: [inject({})], setState: [] })
    expect(machine.check(write)).toBeUndefined()
    machine.event('read_aio')
    expect(machine.check(write)).toBeUndefined()
    machine.event('write_aio')
    for (const request of [write, read, flush, write]) {
      expect(machine.check(request)).toEqual({ errno: 'EIO', immediately: false })
    }
  })

  test('an event that arms nothing leaves armed what was; one that does disarms it', () => {
    const rules = [inject({ errno: 'EIO' }), inject({ event: 'read_aio', errno: 'ENOSPC', sector: 100 })]
    const machine = new RuleMachine({ injectError: rules, setState: [] })
    machine.event('write_aio')
    machine.event('flush_to_os')
    expect(machine.check(write)?.errno).toBe('EIO')
    machine.event('read_aio')
    expect(machine.check(write)).toBeUndefined()
  })

  test('all rules look at the state before the event', () => {
    const rules = {
      injectError: [inject({ state: 2, errno: 'ENOSPC' })],
      setState: [setState({ state: 1, newState: 2 })],
    }
    const machine = new RuleMachine(rules)
    machine.event('write_aio')
    expect(machine.check(write)).toBeUndefined()
    machine.event('write_aio')
    expect(machine.check(write)?.errno).toBe('ENOSPC')
  })

  test('of several state changes the first that matches decides', () => {
    const machine = new RuleMachine({
      injectError: [inject({ event: 'read_aio', state: 2 }), inject({ event: 'read_aio', state: 3, errno: 'ENOSPC' })],
      setState: [setState({ state: 7, newState: 9 }), setState({ newState: 2 }), setState({ newState: 3 })],
    })
    machine.event('write_aio')
    machine.event('read_aio')
    expect(machine.check(read)?.errno).toBe('EIO')
  })
})

describe('matching', () => {
  test('the first armed rule that matches decides, even for success', () => {
    const rules = [
      inject({ sector: 1, errno: 'ENOSPC' }),
      inject({ ioType: 'write', errno: undefined, once: true }),
      inject({ errno: 'EPERM' }),
    ]
    const machine = new RuleMachine({ injectError: rules, setState: [] })
    machine.event('write_aio')
    expect(machine.check({ ...write, bytes: 1024 })?.errno).toBe('ENOSPC')
    expect(machine.check(write)).toBeUndefined()
    expect(machine.check(write)).toBeUndefined()
    expect(machine.check(read)?.errno).toBe('EPERM')
  })

  test('a sector matches what covers its first byte; flushes and empty requests cover none', () => {
    const machine = new RuleMachine({ injectError: [inject({ sector: 8 })], setState: [] })
    machine.event('write_aio')
    const hits = (offset: number, bytes: number): boolean =>
      machine.check({ type: 'write', offset, bytes }) !== undefined
    expect([hits(0, 4096), hits(0, 4097), hits(4096, 1), hits(4097, 512), hits(4096, 0)]).toEqual([
      false,
      true,
      true,
      false,
      false,
    ])
    expect(machine.check(flush)).toBeUndefined()
  })

  test('block-status only fails where it is named', () => {
    const status = { type: 'block-status', offset: 0, bytes: 512 } as const
    const machine = new RuleMachine({ injectError: [inject({})], setState: [] })
    machine.event('write_aio')
    expect(machine.check(status)).toBeUndefined()
    const named = new RuleMachine({ injectError: [inject({ ioType: 'block-status' })], setState: [] })
    named.event('write_aio')
    expect(named.check(status)?.errno).toBe('EIO')
    expect(named.check(read)).toBeUndefined()
  })

  test('a rule for once goes with its first hit, for good', () => {
    const machine = new RuleMachine({ injectError: [inject({ once: true, sector: 0 })], setState: [] })
    machine.event('write_aio')
    expect(machine.check({ ...write, offset: 512 })).toBeUndefined()
    expect(machine.check(write)?.errno).toBe('EIO')
    expect(machine.check(write)).toBeUndefined()
    machine.event('write_aio')
    expect(machine.check(write)).toBeUndefined()
  })
})
