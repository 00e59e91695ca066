// Discards are advice: split at the driver's granularity, refusals ignored, other failures not.
import { expect, test } from 'vitest'
import { BlockError } from '../../src/driver.ts'
import { createDirtyBitmap } from '../../src/index.ts'
import { discardNode, nextDiscardPiece } from '../../src/io/discard.ts'
import { resolveLimits } from '../../src/node/limits.ts'
import { filled } from '../../src/testing/patterns.ts'
import { random } from '../../src/testing/seed.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

function recorderOf(limits: Recorder['limits']): Recorder {
  const recorder = new Recorder(filled(1, 65536))
  recorder.limits = limits
  return recorder
}

async function pieces(limits: Recorder['limits'], offset: number, bytes: number): Promise<string[]> {
  const recorder = recorderOf(limits)
  await using opened = await openRecorder(recorder)
  await opened.disk.discard(offset, bytes)
  return recorder.take()
}

test('unaligned edges go separately, the bulk is limited', async () => {
  const limits = { requestAlignment: 512, discardAlignment: 4096, maxDiscard: 10000 }
  expect(await pieces(limits, 3584, 21504)).toEqual([
    'discard 3584+512',
    'discard 4096+8192',
    'discard 12288+8192',
    'discard 20480+4096',
    'discard 24576+512',
  ])
})

test('what is smaller than the request alignment goes in pieces of its own again', async () => {
  const limits = { requestAlignment: 512, discardAlignment: 4096 }
  expect(await pieces(limits, 100, 5000)).toEqual([
    'discard 100+412',
    'discard 512+3584',
    'discard 4096+512',
    'discard 4608+492',
  ])
})

test('random splits, seed 8: no gap, and the bulk is aligned', () => {
  const choose = random(8)
  for (let i = 0; i < 500; i++) {
    const requestAlignment = choose.pick([1, 512])
    const discardAlignment = requestAlignment * 2 ** choose.below(6)
    const limits = resolveLimits({ requestAlignment, discardAlignment, maxDiscard: choose.pick([0, 50_000]) }, [])
    let offset = choose.below(100_000)
    let rest = 1 + choose.below(100_000)
    for (const end = offset + rest; rest > 0; ) {
      const piece = nextDiscardPiece(offset, rest, limits)
      const crosses = Math.floor(offset / discardAlignment) !== Math.floor((offset + piece - 1) / discardAlignment)
      const isBulk = offset % discardAlignment === 0 && piece % discardAlignment === 0
      const isGood = piece > 0 && piece <= limits.maxDiscard && offset + piece <= end && (isBulk || !crosses)
      if (!isGood) expect.fail(`piece ${offset}+${piece} of a range to ${end} under ${JSON.stringify(limits)}`)
      offset += piece
      rest -= piece
    }
  }
})

test('a refused piece is left alone, the others are discarded', async () => {
  const recorder = recorderOf({ discardAlignment: 4096 })
  await using opened = await openRecorder(recorder)
  recorder.before = (request) =>
    request === 'discard 512+3584' ? Promise.reject(BlockError.fromErrno('ENOTSUP')) : undefined
  await opened.disk.discard(512, 7680)
  expect(recorder.take()).toEqual(['discard 512+3584', 'discard 4096+4096'])
})

test('another failure ends the request; it is accounted for and nothing stays in flight', async () => {
  const recorder = recorderOf({})
  await using opened = await openRecorder(recorder)
  const { bitmap } = createDirtyBitmap(opened.node, 4096)
  recorder.before = (request) =>
    request.startsWith('discard') ? Promise.reject(BlockError.fromErrno('EIO')) : undefined
  expect(await failure(opened.disk.discard(4096, 4096))).toBe('Input/output error')
  expect([opened.node.tracked.size, opened.node.writeGeneration, bitmap.isDirty(4096)]).toEqual([0, 1, true])
})

test('without discard=unmap nothing happens', async () => {
  const recorder = recorderOf({})
  await using opened = await openRecorder(recorder, {}, {})
  await opened.disk.discard(0, 4096)
  expect([recorder.take(), opened.node.writeGeneration]).toEqual([[], 0])
})

test('a discard never goes past the end', async () => {
  const recorder = recorderOf({})
  await using opened = await openRecorder(recorder)
  await discardNode(opened.node, 61440, 8192)
  await discardNode(opened.node, 65536, 4096)
  expect(recorder.take()).toEqual(['discard 61440+4096'])
  expect(opened.node.length).toBe(65536)
})

// The reference looks whether there is anything to do before it looks whether it may.
test('a read-only node ignores discards that it would not pass on', async () => {
  await using ignoring = await openRecorder(new Recorder(4096), {}, { readOnly: true })
  await discardNode(ignoring.node, 0, 512)
  await using passing = await openRecorder(new Recorder(4096), {}, { readOnly: true, unmap: true })
  expect(await failure(discardNode(passing.node, 0, 512))).toBe('Operation not permitted')
})
