// Every option arrives, and what cannot be meant is refused with a reason.
import { expect, test } from 'vitest'
import { parseCommandLine, UsageError } from '../src/command-line.ts'

test('defaults', () => {
  expect(parseCommandLine([])).toMatchObject({
    tests: [],
    groups: [],
    format: 'qcow2',
    timeout: 120_000,
    tools: undefined,
  })
})

test('all options', () => {
  const args =
    '097 --tools /opt -g auto --group quick --format qcow --keep --json -l --timeout 1.5 --qemu-img a --qemu-io b 98'
  expect(parseCommandLine(args.split(' '))).toEqual({
    tests: ['097', '98'],
    groups: ['auto', 'quick'],
    format: 'qcow',
    timeout: 1500,
    help: false,
    list: true,
    json: true,
    record: false,
    keep: true,
    tools: '/opt',
    qemuImg: 'a',
    qemuIo: 'b',
  })
})

const recordText = '--record writes what the reference prints: it needs --tools reference and no other tools'

test.each([
  ['--format foo', "Unknown format 'foo'; there are: raw, qcow, qcow2, qed, vdi, vmdk, vhdx, vpc, parallels"],
  ['--timeout soon', "--timeout needs a number of seconds, not 'soon'"],
  ['--timeout 0', "--timeout needs a number of seconds, not '0'"],
  ['--record', recordText],
  ['--record --tools ours', recordText],
  ['--record --tools reference --qemu-io x', recordText],
])('%s', (args, message) => {
  expect(() => parseCommandLine(args.split(' '))).toThrow(new UsageError(message))
})

test('an unknown option', () => {
  expect(() => parseCommandLine(['--frob'])).toThrow(UsageError)
})

test('only the reference is recorded', () => {
  expect(parseCommandLine(['--record', '--tools', 'reference']).record).toBe(true)
})
