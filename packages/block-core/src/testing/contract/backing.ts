/** Contract cases: an image over a backing file. */

import { MemoryStore } from '../memory-driver.ts'
import { expectSameBytes, filled, stamped } from '../patterns.ts'
import { demand, ifAble, KiB, readAll, withStored } from './read-back.ts'
import type { CaseMaker, ContractCase, ContractStorage, DriverContract, StoredImage } from './types.ts'

const length = 256 * KiB
/** Shorter than the image, and no multiple of any cluster size. */
const backingLength = 200 * KiB + 512

/** Cases about what shows through. */
export function backingCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  const { storage, can } = contract
  if (storage === undefined) return [make.skip('backing files', 'the contract names no storage beneath the driver')]
  if (storage.driver.supportsBacking !== true) return [make.skip('backing files', 'the driver has none')]
  const over = (name: string, body: (image: StoredImage, model: Uint8Array) => Promise<void>): ContractCase =>
    make.stored(name, (here) => overBacking(here, body))
  const readCase = over(
    'what was never written shows the backing file, and zeroes past its end',
    async (image, model) => {
      expectSameBytes(await readAll(image.disk), model, 'a new image over a backing file')
      for await (const extent of image.disk.map()) {
        demand(extent.depth === 1 || extent.zero, `the extent at ${extent.start} is said to be in the image itself`)
      }
    },
  )
  if (can?.write === false) return [readCase, make.skip('writes over a backing file', 'the driver cannot write')]
  return [
    readCase,
    over('writes keep what shows through around them', async ({ disk }, model) => {
      for (const [offset, bytes] of [
        [70_001, 700],
        [backingLength - 100, 1000],
        [0, 512],
        [130 * KiB, 64 * KiB],
      ] as const) {
        await disk.write(offset, filled(6, bytes))
        model.fill(6, offset, offset + bytes)
        expectSameBytes(await readAll(disk), model, `after ${bytes} bytes at ${offset}`)
      }
    }),
    over('zero writes hide the backing file', async ({ disk }, model) => {
      for (const [offset, bytes, mayUnmap] of [
        [0, 64 * KiB, true],
        [70_001, 700, true],
        [130 * KiB, 60 * KiB, false],
      ] as const) {
        await disk.writeZeroes(offset, bytes, { mayUnmap })
        model.fill(0, offset, offset + bytes)
        expectSameBytes(await readAll(disk), model, `after ${bytes} zeroes at ${offset}`)
      }
    }),
    over('growing adds zeroes, whatever lies beneath', async ({ disk }, model) => {
      const grown = await ifAble(can?.truncate === false ? false : undefined, 'growing', () =>
        disk.truncate(length + 64 * KiB),
      )
      const more = new Uint8Array(length + (grown ? 64 * KiB : 0))
      more.set(model)
      expectSameBytes(await readAll(disk), more, 'after growing')
    }),
    over('an emptied image shows the backing file again', async ({ disk }, model) => {
      await disk.write(0, filled(6, 150 * KiB))
      const emptied = await ifAble(can?.makeEmpty, 'emptying', () => disk.makeEmpty())
      if (!emptied) model.fill(6, 0, 150 * KiB)
      expectSameBytes(await readAll(disk), model, 'after emptying')
    }),
  ]
}

/** Runs `body` on a new image over a backing file; `model` is the content it must have. */
async function overBacking(
  storage: ContractStorage,
  body: (image: StoredImage, model: Uint8Array) => Promise<void>,
): Promise<void> {
  const backing = stamped(0, backingLength, 11)
  const model = new Uint8Array(length)
  model.set(backing)
  const store = new MemoryStore(await storage.image(length))
  await withStored(storage, store, { backing }, (image) => body(image, model))
}
