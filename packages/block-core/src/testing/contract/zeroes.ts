/** Contract cases: zero writes and discards. */

import type { ZeroFlags } from '../../driver/requests.ts'
import { expectSameBytes, filled, stamped } from '../patterns.ts'
import { ifAble, KiB, readAll, readBack } from './read-back.ts'
import type { CaseMaker, ContractCase, DriverContract } from './types.ts'

const ranges: readonly (readonly [number, number])[] = [
  [0, 64 * KiB],
  [64 * KiB, 512],
  [70 * KiB + 1, 3],
  [100 * KiB, 80 * KiB],
  [255 * KiB, KiB],
]

const flagSets: readonly (readonly [string, ZeroFlags])[] = [
  ['zero writes', {}],
  ['zero writes that may unmap', { mayUnmap: true }],
  ['durable zero writes', { fua: true }],
  ['durable zero writes that may unmap', { fua: true, mayUnmap: true }],
]

/** Cases about ranges without content. */
export function zeroCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  if (contract.can?.write === false) return [make.skip('zero writes and discards', 'the driver cannot write')]
  return [
    ...flagSets.map(([name, flags]) => zeroCase(make, name, flags)),
    make.image('zero writes without fallback zero or do nothing', 256 * KiB, async ({ disk }) => {
      const model = stamped(0, 256 * KiB, 4)
      await disk.write(0, model)
      for (const [offset, bytes] of ranges) {
        const done = await ifAble(undefined, 'a quick zero write', () =>
          disk.writeZeroes(offset, bytes, { noFallback: true, mayUnmap: true }),
        )
        const now = await readBack(disk, offset, bytes)
        // Refused, it may have zeroed a part before it met the piece that it could not.
        if (done) model.fill(0, offset, offset + bytes)
        else now.forEach((byte, i) => void (byte === 0 && model.fill(0, offset + i, offset + i + 1)))
        expectSameBytes(await readAll(disk), model, `after ${bytes} bytes at ${offset}`)
      }
    }),
    make.image('zero writes into a new image, and writes into zeroes', 256 * KiB, async (image) => {
      const model = filled(0, 256 * KiB)
      await image.disk.writeZeroes(0, 256 * KiB)
      await image.disk.write(100 * KiB + 7, filled(8, 3000))
      model.fill(8, 100 * KiB + 7, 100 * KiB + 3007)
      expectSameBytes(await readAll(image.disk), model, 'before reopening')
      expectSameBytes(await readAll(await image.reopen()), model, 'after reopening')
    }),
    discardCase(contract, make),
  ]
}

function zeroCase(make: CaseMaker, name: string, flags: ZeroFlags): ContractCase {
  return make.image(`${name} read as zero and touch nothing else`, 256 * KiB, async (image) => {
    const model = stamped(0, 256 * KiB, 4)
    await image.disk.write(0, model)
    for (const [offset, bytes] of ranges) {
      await image.disk.writeZeroes(offset, bytes, flags)
      model.fill(0, offset, offset + bytes)
    }
    expectSameBytes(await readAll(image.disk), model, 'before reopening')
    expectSameBytes(await readAll(await image.reopen()), model, 'after reopening')
  })
}

function discardCase(contract: DriverContract, make: CaseMaker): ContractCase {
  const zeroes = contract.can?.discardZeroes === true
  const name = 'a discard touches nothing else, and what is left can be written'
  return make.image(zeroes ? `${name}; it reads as zero` : name, 256 * KiB, async (image) => {
    const model = stamped(0, 256 * KiB, 5)
    await image.disk.write(0, model)
    await image.disk.discard(64 * KiB, 128 * KiB)
    await image.disk.discard(200 * KiB + 1, 3)
    const now = await readAll(image.disk)
    expectSameBytes(now.subarray(0, 64 * KiB), model.subarray(0, 64 * KiB), 'in front of the discard')
    expectSameBytes(now.subarray(192 * KiB, 200 * KiB), model.subarray(192 * KiB, 200 * KiB), 'behind the discard')
    expectSameBytes(now.subarray(201 * KiB), model.subarray(201 * KiB), 'behind the second discard')
    if (zeroes) expectSameBytes(now.subarray(64 * KiB, 192 * KiB), filled(0, 128 * KiB), 'what was discarded')
    await image.disk.write(80 * KiB, filled(7, 1000))
    expectSameBytes(await readBack(image.disk, 80 * KiB, 1000), filled(7, 1000), 'written after the discard')
    const again = await image.reopen()
    expectSameBytes(await readBack(again, 80 * KiB, 1000), filled(7, 1000), 'after reopening')
    expectSameBytes(await readBack(again, 0, 64 * KiB), model.subarray(0, 64 * KiB), 'in front, after reopening')
  })
}
