// The aligned part of zero writes: pieces, refusals, and zeroes as data where a driver has nothing better.
import { expect, test } from 'vitest'
import { BlockError } from '../../src/driver.ts'
import { nextZeroPiece, runZeroWrite } from '../../src/io/zero-write.ts'
import { bounceBufferMax, resolveLimits } from '../../src/node/limits.ts'
import { expectSameBytes, filled } from '../../src/testing/patterns.ts'
import { random } from '../../src/testing/seed.ts'
import { openRecorder } from '../helpers/open-recorder.ts'
import { Recorder } from '../helpers/recorder.ts'
import { failure } from '../helpers/world.ts'

const plain = { mayUnmap: false, noFallback: false, fua: false }

/** A driver that, like blkdebug, refuses zero writes that are not whole clusters. */
function picky(): Recorder {
  const recorder = new Recorder(filled(1, 65536))
  recorder.limits = { requestAlignment: 512, zeroAlignment: 4096, maxZeroes: 8192 }
  recorder.before = (request) => {
    const [, offset, bytes] = /^zero (\d+)\+(\d+)/.exec(request) ?? []
    if (offset === undefined || (Number(offset) % 4096 === 0 && Number(bytes) % 4096 === 0)) return undefined
    recorder.log.pop()
    return Promise.reject(BlockError.fromErrno('ENOTSUP'))
  }
  return recorder
}

// spec/block-layer.md, section 16: seen in the reference's trace.
test('write -z 512 20k with opt-write-zero 4096 and max-write-zero 8192', async () => {
  const recorder = picky()
  await using opened = await openRecorder(recorder)
  await runZeroWrite(opened.node, 512, 20480, plain)
  expect(recorder.take()).toEqual(['write 512+3584', 'zero 4096+8192', 'zero 12288+8192', 'write 20480+512'])
  const expected = filled(1, 65536)
  expected.fill(0, 512, 20992)
  expect(recorder.store.bytes()).toEqual(expected)
})

test('random splits, seed 3: no gap, no piece too long, none crosses a boundary unless aligned at both ends', () => {
  const choose = random(3)
  for (let i = 0; i < 500; i++) {
    const requestAlignment = choose.pick([1, 512])
    const zeroAlignment = requestAlignment * 2 ** choose.below(8)
    const maxZeroes = choose.pick([0, zeroAlignment * (1 + choose.below(5)) + choose.below(zeroAlignment)])
    const limits = resolveLimits(
      { requestAlignment, zeroAlignment, maxZeroes, maxTransfer: choose.pick([0, 8192]) },
      [],
    )
    let offset = requestAlignment * choose.below(1000)
    let rest = requestAlignment * (1 + choose.below(1000))
    for (const end = offset + rest; rest > 0; ) {
      const piece = nextZeroPiece(offset, rest, limits)
      const isAligned = offset % zeroAlignment === 0 && piece % zeroAlignment === 0
      const crosses = Math.floor(offset / zeroAlignment) !== Math.floor((offset + piece - 1) / zeroAlignment)
      const isGood = piece > 0 && piece <= limits.maxZeroes && offset + piece <= end && (isAligned || !crosses)
      if (!isGood) expect.fail(`piece ${offset}+${piece} of a range to ${end} under ${JSON.stringify(limits)}`)
      offset += piece
      rest -= piece
    }
  }
})

test('a driver without zero writes gets data, in buffers of at most 16 MiB and the longest transfer', async () => {
  const bytes = 2 * bounceBufferMax + 4096
  const recorder = new Recorder(filled(1, bytes))
  recorder.zeroes = 'none'
  await using opened = await openRecorder(recorder)
  await runZeroWrite(opened.node, 0, bytes, plain)
  expect(recorder.take()).toEqual(['write 0+16777216', 'write 16777216+16777216', 'write 33554432+4096'])
  expectSameBytes(recorder.store.bytes(), new Uint8Array(bytes), 'zeroed')
  const short = new Recorder(8192)
  short.zeroes = 'none'
  short.limits = { maxTransfer: 3000 }
  await using other = await openRecorder(short)
  await runZeroWrite(other.node, 0, 8192, plain)
  expect(short.take()).toEqual(['write 0+3000', 'write 3000+3000', 'write 6000+2192'])
})

test('noFallback is ENOTSUP where zeroes would have to be written as data', async () => {
  const recorder = picky()
  await using opened = await openRecorder(recorder)
  const noFallback = { ...plain, noFallback: true }
  expect(await failure(runZeroWrite(opened.node, 512, 512, noFallback))).toBe('Operation not supported')
  expect(recorder.take()).toEqual([])
  const none = new Recorder(4096)
  none.zeroes = 'none'
  await using without = await openRecorder(none)
  expect(await failure(runZeroWrite(without.node, 0, 4096, noFallback))).toBe('Operation not supported')
  expect(none.take()).toEqual([])
})

test('another error than ENOTSUP ends the request, and the range is accounted for', async () => {
  const recorder = new Recorder(8192)
  await using opened = await openRecorder(recorder)
  recorder.before = () => Promise.reject(BlockError.fromErrno('ENOSPC'))
  expect(await failure(runZeroWrite(opened.node, 0, 4096, plain))).toBe('No space left on device')
  expect(recorder.take()).toEqual(['zero 0+4096'])
  expect(opened.node.writeGeneration).toBe(1)
  recorder.before = undefined
})

// Seen in the reference: `write -z -u` unmaps clusters of an image that was opened with discard=ignore.
test('mayUnmap of a user of the disk reaches the driver, with discard=unmap or without', async () => {
  for (const options of [{ unmap: true }, {}]) {
    const recorder = new Recorder(4096)
    await using opened = await openRecorder(recorder, {}, options)
    await opened.disk.writeZeroes(0, 4096, { mayUnmap: true })
    expect(recorder.take()).toEqual(['zero 0+4096 unmap'])
  }
})

test('durability: one flush for all pieces, or every piece durable by itself', async () => {
  const recorder = picky()
  await using opened = await openRecorder(recorder)
  await runZeroWrite(opened.node, 0, 16384, { ...plain, fua: true })
  expect(recorder.take()).toEqual(['zero 0+8192', 'zero 8192+8192', 'flush'])
  const durable = picky()
  durable.supportsFua = true
  await using other = await openRecorder(durable)
  await runZeroWrite(other.node, 512, 7680, { ...plain, fua: true })
  expect(durable.take()).toEqual(['write 512+3584 fua', 'zero 4096+4096 fua'])
})

// The buffer is shared: what one driver did to it, another one would write as zeroes.
test('a driver that changes what it is to write is found out', async () => {
  const recorder = new Recorder(8192)
  recorder.zeroes = 'none'
  await using opened = await openRecorder(recorder)
  const { writer } = opened.node.layer
  const { write } = writer!
  let spoiled: Uint8Array | undefined
  Object.assign(writer!, {
    write: async (_offset: number, data: Uint8Array) => {
      spoiled = data
      data[7] = 1
    },
  })
  await opened.disk.writeZeroes(0, 512)
  Object.assign(writer!, { write })
  expect(await failure(opened.disk.writeZeroes(0, 512))).toBe('a driver changed the data that it was to write')
  spoiled![7] = 0
  await opened.disk.writeZeroes(0, 512)
})
