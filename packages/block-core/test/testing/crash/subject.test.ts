// The guest's handle writes down what may be seen: exact contents of writes, and whatever else an act leaves.
import { expect, test } from 'vitest'
import { createBlockGraph } from '../../../src/index.ts'
import type { GuestChange } from '../../../src/testing/crash/journal.ts'
import { closeOf, type CrashOperation, type Guest, recordOperation } from '../../../src/testing/crash/subject.ts'
import { type MemoryStore, memory } from '../../../src/testing/memory-driver.ts'
import { filled } from '../../../src/testing/patterns.ts'

const operation = (run: (guest: Guest, disk: MemoryStore) => Promise<void>): CrashOperation<never> => {
  let store: MemoryStore | undefined
  return {
    name: 'test',
    diskNames: [],
    prepare: async () => [filled(9, 2048)],
    open: async (disks) => {
      store = disks[0]
      const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
      const disk = await graph.open(memory(disks[0]!))
      const facts = async () => ({ first: String(disks[0]!.bytes()[0]) })
      return { disk, facts, close: () => graph.close() } as never
    },
    run: (_image, guest) => run(guest, store!),
  }
}

async function changes(run: (guest: Guest, disk: MemoryStore) => Promise<void>): Promise<GuestChange[]> {
  const { journal } = await recordOperation(operation(run))
  return journal.entries.flatMap((entry) => (entry.kind === 'guest' && entry.event === 'begin' ? [entry.change] : []))
}

test('writes and zeroes are what they say', async () => {
  const [write, zeroes] = await changes(async (guest) => {
    await guest.write(512, filled(1, 512))
    await guest.writeZeroes(0, 1024, { mayUnmap: true })
  })
  expect(write).toEqual({ offset: 512, data: filled(1, 512), facts: {} })
  expect(zeroes).toEqual({ offset: 0, data: filled(0, 1024), facts: {} })
})

test('after an act, what differs is new', async () => {
  const [act] = await changes((guest, disk) => guest.act(async () => disk.write(600, filled(3, 10))))
  expect([act?.offset, act?.data.length, act?.data[88]]).toEqual([512, 512, 3])
  expect(act?.facts).toEqual({ first: '9', length: '2048' })
})

test('an act that changes the length', async () => {
  const [longer] = await changes((guest, disk) => guest.act(async () => disk.resize(4096)))
  expect([longer?.data.length, longer?.facts.length]).toEqual([0, '4096'])
  const [shorter] = await changes((guest, disk) => guest.act(async () => disk.resize(512)))
  expect([shorter?.data.length, shorter?.facts.length]).toEqual([0, '512'])
})

test('a recording tells what the guest saw before and after; disks without a name are numbered', async () => {
  const recording = await recordOperation(operation((guest) => guest.write(0, filled(1, 512))))
  expect([recording.before.facts, recording.after.facts]).toEqual([
    { first: '9', length: '2048' },
    { first: '1', length: '2048' },
  ])
  expect(recording.journal.disks[0]?.name).toBe('disk 0')
})

test('closing went well if nothing was said', async () => {
  const lines = ['at open']
  const image = (said: readonly string[]) =>
    ({ lines, disk: undefined as never, close: async () => void lines.push(...said) }) satisfies Parameters<
      typeof closeOf
    >[0]
  expect(await closeOf(image([]))).toBe(true)
  expect(await closeOf(image(['error: it is lost']))).toBe(false)
  expect(await closeOf({ disk: undefined as never, close: async () => undefined })).toBe(true)
})
