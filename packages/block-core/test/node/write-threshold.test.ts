// The threshold tells once, and says by how much it was passed.
import { expect, test } from 'vitest'
import { setWriteThreshold, type WriteThresholdEvent, writeThresholdOf } from '../../src/index.ts'
import { WriteThreshold } from '../../src/node/write-threshold.ts'
import { filled } from '../../src/testing/patterns.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'

test('the first write beyond it is told, no other', () => {
  const told: WriteThresholdEvent[] = []
  const threshold = new WriteThreshold()
  threshold.check('a', 100)
  threshold.set(4096, (event) => told.push(event))
  threshold.check('a', 4096)
  expect([told.length, threshold.bytes]).toEqual([0, 4096])
  threshold.check('a', 5000)
  threshold.check('a', 6000)
  expect(told).toEqual([{ nodeName: 'a', amountExceeded: 904, writeThreshold: 4096 }])
  expect(threshold.bytes).toBe(0)
})

test('writes, zero writes and padded writes count; it can be switched off', async () => {
  const recorder = new Recorder(65536)
  recorder.limits = { requestAlignment: 512 }
  await using opened = await openRecorder(recorder)
  const told: number[] = []
  const arm = (): void => setWriteThreshold(opened.disk.root, 8192, ({ amountExceeded }) => told.push(amountExceeded))
  arm()
  await opened.disk.write(8000, filled(1, 100))
  await opened.disk.write(8000, filled(1, 200))
  arm()
  await opened.disk.writeZeroes(8192, 4096)
  arm()
  setWriteThreshold(opened.disk.root, 0)
  await opened.disk.write(60000, filled(1, 200))
  expect([told, writeThresholdOf(opened.disk.root)]).toEqual([[512, 4096], 0])
})
