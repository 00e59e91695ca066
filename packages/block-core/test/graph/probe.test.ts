// Guessing a format: the best score wins, the first among equals; raw without looking for empty images.
import { expect, test } from 'vitest'
import type { AnyDriver } from '../../src/driver.ts'
import { GraphCore } from '../../src/graph/graph-core.ts'
import { isFallback, probeFormat, probeHead, warnOfGuess } from '../../src/graph/probe.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { filled } from '../../src/testing/patterns.ts'
import { countedWorld } from '../helpers/counted.ts'
import { openSpec } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { failure, plainDriver } from '../helpers/world.ts'

const scoring = (formatName: string, score: number): AnyDriver => ({ ...plainDriver, formatName, probe: () => score })
const { probe: _none, ...silent } = scoring('silent', 0)

test('the highest score, the first among equals, and never who does not probe', () => {
  const drivers = [silent as AnyDriver, scoring('low', 1), scoring('a', 100), scoring('b', 100)]
  expect(probeHead(drivers, new Uint8Array(512), undefined).formatName).toBe('a')
})

test('nobody knows', () => {
  const text = 'Could not determine image format: No compatible driver found'
  expect(() => probeHead([silent as AnyDriver, scoring('no', 0)], new Uint8Array(512), undefined)).toThrow(text)
})

test('the first sector is looked at, zeroes behind a shorter end, and the name', async () => {
  const seen: unknown[] = []
  const curious: AnyDriver = {
    ...plainDriver,
    formatName: 'curious',
    probe: (head, filename) => {
      seen.push(head.length, head[99], head[100], filename)
      return 5
    },
  }
  await using opened = await openSpec(record(new Recorder(filled(7, 100))), { readOnly: true })
  const core = new GraphCore({ drivers: [curious], implicitOpen: 'deny' })
  expect(await probeFormat(core, opened.node)).toBe(curious)
  expect(seen).toEqual([512, 7, 0, 'json:{"driver": "recorder"}'])
})

test('an empty image is raw; without raw it is looked at', async () => {
  const recorder = new Recorder(0)
  await using opened = await openSpec(record(recorder), { readOnly: true })
  const all = new GraphCore({ drivers: [scoring('x', 100), plainDriver], implicitOpen: 'deny' })
  expect((await probeFormat(all, opened.node)).formatName).toBe('raw')
  const few = new GraphCore({ drivers: [scoring('x', 100)], implicitOpen: 'deny' })
  expect((await probeFormat(few, opened.node)).formatName).toBe('x')
})

test('an image that cannot be read has no format', async () => {
  const recorder = new Recorder(512)
  await using opened = await openSpec(record(recorder), { readOnly: true })
  recorder.before = () => Promise.reject(Object.assign(new Error('bad sector'), { code: 'EIO' }))
  const core = new GraphCore({ drivers: [plainDriver], implicitOpen: 'deny' })
  const text = 'Could not read image for determining its format: Input/output error'
  expect(await failure(probeFormat(core, graphNode(opened.disk.root)))).toBe(text)
})

test('who writes to what was guessed raw is warned, in three lines', async () => {
  const at = countedWorld()
  at.files.set('disk', new MemoryStore(4096))
  await at.graph.open('file:disk')
  expect(at.messages).toEqual([
    { kind: 'line', text: "WARNING: Image format was not specified for 'disk' and probing guessed raw." },
    {
      kind: 'line',
      text: '         Automatically detecting the format is dangerous for raw images, write operations on block 0 will be restricted.',
    },
    { kind: 'line', text: "         Specify the 'raw' format explicitly to remove the restrictions." },
  ])
  at.messages.length = 0
  await at.graph.open('disk', { readOnly: true })
  await at.graph.open('disk', { format: 'raw' })
  await at.graph.create('toy', 'toy', { size: 4096 })
  await at.graph.open('toy')
  expect(at.messages).toEqual([])
  await at.graph.close()
})

test('only raw is what images of no format are taken for', () => {
  const texts: string[] = []
  const core = new GraphCore({ drivers: [], implicitOpen: 'deny', onDiagnostic: ({ text }) => texts.push(text) })
  warnOfGuess(core, 'x', scoring('qcow2', 100))
  expect([texts, isFallback(plainDriver), isFallback(scoring('qcow2', 100))]).toEqual([[], true, false])
})
