// Look-ups in a graph: drivers by name and by protocol, nodes by name, one text for all spellings of a file.
import { expect, test } from 'vitest'
import { GraphCore } from '../../src/graph/graph-core.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { namedStores } from '../helpers/named-stores.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder, recorderDriver } from '../helpers/recorder.ts'
import { plainDriver } from '../helpers/world.ts'

const files = new Map([['a', new MemoryStore(512)]])
const file = namedStores(files)
const core = new GraphCore({ drivers: [plainDriver, file, recorderDriver], implicitOpen: 'deny' })

test('drivers', () => {
  expect(core.driverNamed('raw')).toBe(plainDriver)
  expect(() => core.driverNamed('qcow9')).toThrow("Unknown driver 'qcow9'")
  expect([core.protocolFor('a'), core.protocolFor('/a:b'), core.protocolFor('file:a')]).toEqual([file, file, file])
  expect(core.protocolFor('recorder:x')).toBe(recorderDriver)
  // A format is no protocol.
  expect(() => core.protocolFor('raw:x')).toThrow("Unknown protocol 'raw'")
})

// Devices are recognised by what they are, whatever their name looks like; the surest driver gets them.
test('devices', () => {
  const device = (name: string, score: number) => ({
    ...recorderDriver,
    formatName: name,
    probeDevice: (filename: string) => (filename.startsWith('dev') ? score : 0),
  })
  const [weak, sure, late] = [device('weak', 50), device('sure', 100), device('late', 100)]
  const host = new GraphCore({ drivers: [file, weak, sure, late], implicitOpen: 'deny' })
  expect([host.protocolFor('dev'), host.protocolFor('dev:sda'), host.protocolFor('a')]).toEqual([sure, sure, file])
  // Names in options are paths: a prefix means nothing, a device is one.
  expect([host.protocolFor('other:a', false), host.protocolFor('dev', false)]).toEqual([file, sure])
})

test('one text for all spellings', () => {
  expect([core.canonicalName('./a'), core.canonicalName('b')]).toEqual(['a', undefined])
  const without = new GraphCore({ drivers: [recorderDriver], implicitOpen: 'deny' })
  expect(without.canonicalName('./a')).toBe('./a')
})

test('nodes', async () => {
  await using opened = await openRecorder(new Recorder(512))
  const { node } = opened
  core.nodes.set('n', node)
  expect(core.nodeByReference('n')).toBe(node)
  node.opening = true
  const text = "Cannot find device='n' nor node-name='n'"
  expect(() => core.nodeByReference('n')).toThrow(text)
  node.opening = false
  core.forget(node)
  expect(core.nodes.size).toBe(1)
  core.nodes.clear()
  expect(() => core.nodeByReference('n')).toThrow(text)
})

test('without a listener diagnostics go nowhere', () => {
  expect(() => core.diagnostic({ kind: 'warning', text: 'x' })).not.toThrow()
})
