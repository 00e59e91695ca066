/** Proves that definitions of secrets and throttle groups are judged in the reference's words. */

import { BlockError } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { ObjectDefinitions } from '../src/object-definitions.ts'

const readFile = (path: string): Uint8Array => {
  if (path === 'key') return new TextEncoder().encode('AAAA')
  throw BlockError.fromErrno('ENOENT')
}

test.each([
  'secret,id=s0,data=x',
  'secret,id=s0,file=key,format=base64',
  '{"qom-type": "secret", "id": "s0", "data": "x"}',
  'qom-type=secret,id=a-b.c_d,data=',
])('%s', (text) => expect(new ObjectDefinitions(readFile).add(text)).toEqual({ kind: 'defined' }))

test.each([
  ['id=s0,data=x', "Parameter 'qom-type' is missing"],
  ['iothread,id=s0', "Parameter 'qom-type' does not accept value 'iothread'"],
  ['secret,data=x', "Parameter 'id' is missing"],
  ['secret,id=s0', "Either 'file' or 'data' must be provided"],
  ['secret,id=s0,data=x,file=key', "'file' and 'data' are mutually exclusive"],
  ['secret,id=s0,data=x,format=hex', "Parameter 'format' does not accept value 'hex'"],
  ['secret,id=s0,data=x,foo=1', "Parameter 'foo' is unexpected"],
  ['secret,id=s0,data=x,keyid=k', "No secret with id 'k'"],
  ['secret,id=s0,keyid=k', "Either 'file' or 'data' must be provided"],
  ['secret,id=s0,data=x,keyid=k,foo=1', "Parameter 'foo' is unexpected"],
  ['secret,id=s0,data=!,format=base64', 'Base64 data contains invalid characters'],
  ['secret,id=s0,file=gone', 'Unable to read gone: Failed to open file “gone”: No such file or directory'],
  ['secret,id=s0,data', "Expected '=' after parameter 'data'"],
  ['{"qom-type"', 'JSON parse error'],
])('%s', (text, message) => {
  const outcome = new ObjectDefinitions(readFile).add(text)
  expect(outcome.kind === 'failed' ? outcome.message : outcome.kind).toContain(message)
})

test('names: their form, and that each is new', () => {
  const objects = new ObjectDefinitions(readFile)
  expect(objects.add('secret,id=1,data=x')).toEqual({
    kind: 'failed',
    message: "Parameter 'id' expects an identifier",
    hint: "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.",
  })
  objects.add('secret,id=s0,data=x')
  expect(objects.add('secret,id=s0,data=x')).toMatchObject({
    message: "attempt to add duplicate property 's0' to object (type 'container')",
  })
})

test('a secret that another one decrypts', () => {
  const objects = new ObjectDefinitions(readFile)
  expect(objects.add('secret,id=k,data=x,iv=AA')).toEqual({ kind: 'defined' })
  expect(objects.add('secret,id=s,data=x,keyid=k')).toMatchObject({ message: 'Encrypted secrets are not implemented' })
})

test('help', () => {
  const objects = new ObjectDefinitions(readFile)
  expect(objects.add('help')).toEqual({
    kind: 'help',
    text: 'List of user creatable objects:\n  secret\n  throttle-group\n',
  })
  expect(objects.add('secret,help')).toMatchObject({ text: expect.stringContaining('secret options:\n  data=') })
})

test('throttle groups: made with their limits, whichever way these are spelt', () => {
  const made: unknown[] = []
  const objects = new ObjectDefinitions(readFile, (id, limits) => {
    if (limits.iopsSize === 1) throw new BlockError('EINVAL', 'iops size requires an iops value to be set')
    made.push([id, limits])
  })
  for (const text of [
    'throttle-group,id=a',
    'throttle-group,id=b,limits.bps-total=1000,x-iops-read-max-length=2',
    '{"qom-type": "throttle-group", "id": "c", "limits": {"iops-write-max": 7}}',
  ]) {
    expect(objects.add(text)).toEqual({ kind: 'defined' })
  }
  expect(made).toEqual([
    ['a', {}],
    ['b', { bpsTotal: 1000, iopsReadMaxLength: 2 }],
    ['c', { iopsWriteMax: 7 }],
  ])
  expect(objects.add('throttle-group,id=d,limits.iops-size=1')).toMatchObject({
    message: 'iops size requires an iops value to be set',
  })
})
