/** Proves that what tables make of a file is judged run by run, and that time and memory end it. */

import { BlockError, type LayoutOptions, type LayoutRun, type LayoutSupport } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { judgeLayout } from '../../src/inspect/judge-layout.ts'
import { inspectLimitsDefault } from '../../src/inspect/verdict.ts'

const never = { isOver: () => false }

function layout(describe: (options: LayoutOptions) => Iterable<LayoutRun>): LayoutSupport {
  return {
    names: {},
    async *describe(options = {}) {
      yield* describe(options)
    },
  }
}

const judged = (runs: readonly LayoutRun[]) =>
  judgeLayout(
    layout(() => runs),
    inspectLimitsDefault,
    never,
  )

test('sound runs are no reason', async () => {
  expect(await judged([{ kind: 'data', offset: 0, bytes: 100, guestBytes: 100 }])).toEqual([])
})

test.each<[LayoutRun, string, string]>([
  [{ kind: 'overlap', offset: 512, bytes: 512 }, 'overlap', 'two structures claim the place at offset 512'],
  [{ kind: 'broken', offset: 7, bytes: 9 }, 'outside-file', 'no such place: 9 bytes at offset 7'],
])('%j', async (run, code, message) => expect(await judged([run])).toEqual([{ code, message }]))

test('compressed data is measured as a whole', async () => {
  const bomb: LayoutRun[] = [
    { kind: 'compressed', offset: 0, bytes: 100, guestBytes: 10_000 },
    { kind: 'compressed', offset: 0, bytes: 0, guestBytes: 1 },
  ]
  expect(await judged(bomb.slice(0, 1))).toEqual([])
  expect(await judged(bomb)).toEqual([
    { code: 'expansion', message: 'compressed data of 100 bytes expands to 10001, more than 100 times' },
  ])
})

test('damage ends the walk', async () => {
  let told = 0
  const endless = layout(function* () {
    for (;;) {
      told++
      yield { kind: 'overlap', offset: 0, bytes: 512 }
    }
  })
  expect(await judgeLayout(endless, inspectLimitsDefault, never)).toHaveLength(1)
  expect(told).toBe(1)
})

test('a walk that goes on for too long is stopped, also where nothing is found on the way', async () => {
  const slow = layout(function* ({ onProgress, signal }) {
    for (let current = 0; ; current++) {
      signal?.throwIfAborted()
      onProgress?.({ current, total: Number.POSITIVE_INFINITY })
      if (current < 0) yield { kind: 'data', offset: 0, bytes: 1 }
    }
  })
  let steps = 0
  const deadline = { isOver: () => ++steps > 100 }
  expect(await judgeLayout(slow, inspectLimitsDefault, deadline)).toEqual([
    { code: 'timeout', message: 'judging its tables takes more than 60 seconds' },
  ])
})

test('too little memory is a reason; what cannot be read is an error', async () => {
  const asked: unknown[] = []
  const failing = (code: 'ENOMEM' | 'EIO') =>
    layout(({ memoryMax }) => {
      asked.push(memoryMax)
      throw new BlockError(code, 'no')
    })
  expect(await judgeLayout(failing('ENOMEM'), inspectLimitsDefault, never)).toEqual([{ code: 'memory', message: 'no' }])
  await expect(judgeLayout(failing('EIO'), inspectLimitsDefault, never)).rejects.toMatchObject({ code: 'EIO' })
  expect(asked[0]).toBe(inspectLimitsDefault.maxMemory / 4)
})
