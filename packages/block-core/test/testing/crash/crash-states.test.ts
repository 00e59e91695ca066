// Every state is shown once and can be brought back by its name; what a killed process leaves is the plain prefix.
import { expect, test } from 'vitest'
import { crashState, crashStates, disksBefore } from '../../../src/testing/crash/crash-states.ts'
import { DiskRecorder } from '../../../src/testing/crash/recorder.ts'
import { filled } from '../../../src/testing/patterns.ts'

function recorded(): DiskRecorder {
  const recorder = new DiskRecorder()
  const disk = recorder.disk('a', 1024)
  disk.write(0, filled(1, 512))
  disk.flush()
  disk.write(0, filled(2, 1024))
  return recorder
}

const firsts = (bytes: Uint8Array): string => `${bytes[0]}${bytes[512]}`

test('all states of a short history, none twice', () => {
  const states: string[] = []
  for (const { id, disks } of crashStates(recorded().journal)) states.push(`${id} ${firsts(disks[0]!.bytes())}`)
  expect(states).toEqual(['0:x0 00', '0:x1 10', '1:x0 10', '1:x1 20', '1:x2 12', '1:x3 22'])
})

test('where the model does not change, the same content is shown once', () => {
  const { journal } = recorded()
  expect([...crashStates(journal, { model: () => '' })].map(({ id }) => id)).not.toContain('1:x0')
  expect([...crashStates(journal, { from: 2 })].map(({ moment }) => moment)).toEqual([1, 1, 1, 1])
})

test('a state is brought back by its name', () => {
  const { journal } = recorded()
  for (const { id, key, disks } of crashStates(journal)) {
    const again = crashState(journal, id)
    expect([again.key, firsts(again.disks[0]!.bytes())]).toEqual([key, firsts(disks[0]!.bytes())])
  }
  expect(() => crashState(journal, '7:none')).toThrow("there is no crash state '7:none'")
  expect(() => crashState(journal, '1')).toThrow("there is no crash state '1'")
})

test('a state may be written to: the next one does not see it', () => {
  const seen: string[] = []
  for (const { disks } of crashStates(recorded().journal, { from: 2 })) {
    seen.push(firsts(disks[0]!.bytes()))
    disks[0]!.write(0, filled(7, 4096))
  }
  expect(seen).toEqual(['10', '20', '12', '22'])
})

test('what a killed process leaves', () => {
  const { journal } = recorded()
  expect([0, 1, 2, 3].map((position) => firsts(disksBefore(journal, position)[0]!.bytes()))).toEqual([
    '00',
    '10',
    '10',
    '22',
  ])
})
