// The lab finds a write that was acknowledged before it was durable, names the state, and passes what is right.
import { expect, test } from 'vitest'
import { createBlockGraph } from '../../../src/index.ts'
import { exploreCrashes, judgeStateNamed } from '../../../src/testing/crash/explore.ts'
import { type CrashOperation, recordOperation } from '../../../src/testing/crash/subject.ts'
import { type MemoryStore, memory } from '../../../src/testing/memory-driver.ts'
import { filled } from '../../../src/testing/patterns.ts'

const operation: CrashOperation = {
  name: 'two writes',
  diskNames: ['image'],
  prepare: async () => [filled(9, 2048)],
  open: async (disks) => {
    const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
    return { disk: await graph.open(memory(disks[0] as MemoryStore)), close: () => graph.close() }
  },
  run: async (_image, guest) => {
    await guest.write(0, filled(1, 1024))
    await guest.flush()
    await guest.write(512, filled(2, 1024))
  },
}

test('an honest disk: every state is right', async () => {
  const recording = await recordOperation(operation)
  const ids: string[] = []
  const { states, violations } = await exploreCrashes(operation, recording, {
    onVerdict: ({ id }) => void ids.push(id),
  })
  expect({ states, violations }).toEqual({ states: 9, violations: [] })
  expect(ids).toHaveLength(9)
})

test('without its flush, states are found in which an acknowledged write is lost; each comes back by its name', async () => {
  const recording = await recordOperation(operation)
  const journal = { ...recording.journal, entries: recording.journal.entries.filter(({ kind }) => kind !== 'flush') }
  const { violations } = await exploreCrashes(operation, { ...recording, journal })
  expect(violations.length).toBeGreaterThan(0)
  expect(violations[0]?.problems[0]).toMatch(/^guest sector \d begins with 09/)
  for (const { id, problems } of violations) {
    expect((await judgeStateNamed(operation, { ...recording, journal }, id)).problems).toEqual(problems)
  }
  const few = await exploreCrashes(operation, { ...recording, journal }, { violationsMax: 1 })
  expect(few.violations).toHaveLength(1)
})

test('an image that cannot be opened is a violation', async () => {
  const recording = await recordOperation(operation)
  const broken = { ...operation, open: () => Promise.reject(new Error('no such format')) }
  const { violations } = await exploreCrashes(broken, recording, { violationsMax: 1 })
  expect(violations[0]?.problems).toEqual(['it cannot be looked at: no such format'])
  expect(violations[0]?.inspection).toBeUndefined()
})
