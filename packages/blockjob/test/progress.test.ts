/** Proves the two counters: work done only grows, what remains is relative to it, and listeners hear of changes only. */
import { expect, test } from 'vitest'
import type { JobProgress } from '@blocklayer/block-core'
import { ProgressMeter } from '../src/progress.ts'

test('starts at nothing of nothing', () => {
  expect(new ProgressMeter().snapshot).toEqual({ current: 0, total: 0 })
})

test('counts work done and work that remains', () => {
  const meter = new ProgressMeter()
  meter.setRemaining(100)
  meter.workDone(30)
  expect(meter.snapshot).toEqual({ current: 30, total: 100 })
  meter.increaseRemaining(10)
  expect(meter.snapshot).toEqual({ current: 30, total: 110 })
  meter.setRemaining(50)
  expect(meter.snapshot).toEqual({ current: 30, total: 80 })
})

test('tells of every change, and of nothing else', () => {
  const seen: JobProgress[] = []
  const meter = new ProgressMeter((progress) => seen.push(progress))
  meter.setRemaining(10)
  meter.setRemaining(10)
  meter.workDone(0)
  meter.workDone(10)
  meter.setRemaining(0)
  expect(seen).toEqual([
    { current: 0, total: 10 },
    { current: 10, total: 10 },
  ])
})
