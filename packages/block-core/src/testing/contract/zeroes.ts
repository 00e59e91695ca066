/** Contract cases: zero writes and discards. */

import { expectSameBytes, filled, stamped } from '../patterns.ts'
import type { ContractCase, DriverContract, MakeCase } from './types.ts'
import { readBack } from './read-back.ts'

const KiB = 1024
const ranges: readonly (readonly [number, number])[] = [
  [0, 64 * KiB],
  [64 * KiB, 512],
  [70 * KiB + 1, 3],
  [100 * KiB, 80 * KiB],
  [255 * KiB, KiB],
]

/** Cases about ranges without content. */
export function zeroCases(contract: DriverContract, make: MakeCase): ContractCase[] {
  if (contract.can?.write === false) return []
  const zeroed = (mayUnmap: boolean) =>
    make(
      `zero writes${mayUnmap ? ' that may unmap' : ''} read as zero and touch nothing else`,
      256 * KiB,
      async (image) => {
        const model = stamped(0, 256 * KiB, 4)
        await image.disk.write(0, model)
        for (const [offset, bytes] of ranges) {
          await image.disk.writeZeroes(offset, bytes, { mayUnmap })
          model.fill(0, offset, offset + bytes)
        }
        expectSameBytes(await readBack(image.disk, 0, model.length), model, 'before reopening')
        const again = await image.reopen()
        expectSameBytes(await readBack(again, 0, model.length), model, 'after reopening')
      },
    )
  const discarded = make(
    'a discard touches nothing else, and what is left can be written',
    256 * KiB,
    async (image) => {
      const model = stamped(0, 256 * KiB, 5)
      await image.disk.write(0, model)
      await image.disk.discard(64 * KiB, 128 * KiB)
      const head = await readBack(image.disk, 0, 64 * KiB)
      expectSameBytes(head, model.subarray(0, 64 * KiB), 'in front of the discard')
      expectSameBytes(await readBack(image.disk, 192 * KiB, 64 * KiB), model.subarray(192 * KiB), 'behind the discard')
      await image.disk.write(80 * KiB, filled(7, 1000))
      expectSameBytes(await readBack(image.disk, 80 * KiB, 1000), filled(7, 1000), 'written after the discard')
    },
  )
  return [zeroed(false), zeroed(true), discarded]
}
