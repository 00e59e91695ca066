/** Contract cases: the disk's length. */

import type { BlockBackend } from '../../backend/block-backend.ts'
import type { Preallocation } from '../../driver/requests.ts'
import { requestAlignmentOf } from '../../graph/queries.ts'
import { alignUp } from '../../util/align.ts'
import { expectSameBytes, filled, stamped } from '../patterns.ts'
import { demand, ifAble, KiB, readAll, readBack } from './read-back.ts'
import type { CaseMaker, ContractCase, DriverContract } from './types.ts'

const modes: readonly Preallocation[] = ['off', 'metadata', 'falloc', 'full']

/** Cases about growing and shrinking. */
export function truncateCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  const { can } = contract
  if (can?.write === false) return [make.skip('changes of the length', 'the driver cannot write')]
  if (can?.truncate === false) return [refusedCase(make)]
  return [
    make.image('growing keeps the content and adds zeroes', 64 * KiB, async (image) => {
      const data = stamped(0, 64 * KiB, 3)
      await image.disk.write(0, data)
      await image.disk.truncate(256 * KiB)
      expectSameBytes(await readBack(image.disk, data.length, 192 * KiB), filled(0, 192 * KiB), 'new part')
      const again = await image.reopen()
      demand(again.length === 256 * KiB, `the length is ${again.length}`)
      expectSameBytes(await readBack(again, 0, data.length), data, 'old part')
      expectSameBytes(await readBack(again, data.length, 192 * KiB), filled(0, 192 * KiB), 'new part')
    }),
    make.image('growing by one sector, and to the same length', 64 * KiB, async (image) => {
      await image.disk.write(0, filled(1, 64 * KiB))
      const sector = sectorOf(image.disk)
      await image.disk.truncate(64 * KiB + sector)
      await image.disk.truncate(64 * KiB + sector)
      await image.disk.write(64 * KiB, filled(2, sector))
      const again = await image.reopen()
      demand(again.length === 64 * KiB + sector, `the length is ${again.length}`)
      expectSameBytes(await readBack(again, 64 * KiB, sector), filled(2, sector), 'the new sector')
    }),
    ...modes.map((preallocation) => preallocationCase(make, preallocation)),
    shrinkCase(contract, make),
  ]
}

/** A length that is no multiple of the node's own alignment cannot be had. */
function sectorOf(disk: BlockBackend): number {
  return Math.max(512, requestAlignmentOf(disk.root))
}

function refusedCase(make: CaseMaker): ContractCase {
  return make.image('a change of the length is refused and changes nothing', 64 * KiB, async ({ disk }) => {
    await disk.write(0, filled(1, 64 * KiB))
    for (const length of [128 * KiB, 32 * KiB]) {
      await ifAble(false, `a change of the length to ${length}`, () => disk.truncate(length))
      demand(disk.length === 64 * KiB, `the length is ${disk.length}`)
    }
    expectSameBytes(await readAll(disk), filled(1, 64 * KiB), 'after a refusal')
  })
}

function preallocationCase(make: CaseMaker, preallocation: Preallocation): ContractCase {
  return make.image(
    `growing with preallocation ${preallocation} adds zeroes, or is refused`,
    64 * KiB,
    async (image) => {
      await image.disk.write(0, filled(1, 64 * KiB))
      const able = preallocation === 'off' ? true : undefined
      let grown: boolean
      try {
        grown = await ifAble(able, 'growing', () => image.disk.truncate(192 * KiB, { preallocation }))
      } catch (error) {
        // The reference's word for a mode that a driver does not have.
        if (!(error instanceof Error) || !/[Uu]nsupported preallocation mode/.test(error.message)) throw error
        grown = false
      }
      const again = await image.reopen()
      demand(again.length === (grown ? 192 : 64) * KiB, `the length is ${again.length}`)
      expectSameBytes(await readBack(again, 0, 64 * KiB), filled(1, 64 * KiB), 'old part')
      const added = await readBack(again, 64 * KiB, again.length - 64 * KiB)
      expectSameBytes(added, filled(0, added.length), 'new part')
    },
  )
}

function shrinkCase(contract: DriverContract, make: CaseMaker): ContractCase {
  const declared = contract.can?.shrink
  const outcome = declared === true ? '' : declared === false ? ': refused' : ', or is refused'
  return make.image(`shrinking keeps what is left and frees the rest${outcome}`, 256 * KiB, async (image) => {
    const model = stamped(0, 256 * KiB, 4)
    await image.disk.write(0, model)
    const length = 100 * KiB + sectorOf(image.disk)
    // The rest of the last cluster may come back when the disk grows again, as it does in the reference's own qcow2.
    const clusterEnd = Math.min(256 * KiB, alignUp(length, image.disk.info.clusterSize ?? 1))
    if (!(await ifAble(declared, 'shrinking', () => image.disk.truncate(length)))) {
      expectSameBytes(await readAll(image.disk), model, 'after a refusal')
      return
    }
    demand(image.disk.length === length, `the length is ${image.disk.length}`)
    await image.disk.truncate(256 * KiB)
    model.fill(0, clusterEnd)
    for (const content of [await readAll(image.disk), await readAll(await image.reopen())]) {
      expectSameBytes(content.subarray(0, length), model.subarray(0, length), 'what was left')
      expectSameBytes(content.subarray(clusterEnd), model.subarray(clusterEnd), 'what was cut off')
    }
  })
}
