/** Contract cases: what an image says about itself, checks, emptying. */

import type { BlockBackend } from '../../backend/block-backend.ts'
import { hostBytesOf, readsZeroWhenNew } from '../../graph/queries.ts'
import { toQemuJson } from '../../util/json.ts'
import { expectSameBytes, filled } from '../patterns.ts'
import { demand, ifAble, KiB, readAll } from './read-back.ts'
import type { CaseMaker, ContractCase, DriverContract } from './types.ts'

/** Cases about whole images. */
export function maintenanceCases(contract: DriverContract, make: CaseMaker): ContractCase[] {
  const canWrite = contract.can?.write !== false
  const cases = [
    make.image('what the image says about itself makes sense', 128 * KiB, async ({ disk }) => {
      const { clusterSize, specific } = disk.info
      const { length, root } = disk
      demand(length === 128 * KiB && root.length === length, `the length is ${length}`)
      if (clusterSize !== undefined) {
        const isPower = Number.isInteger(Math.log2(clusterSize))
        demand(isPower && clusterSize <= 2 ** 30, `a cluster size of ${clusterSize} is no power of two up to 1 GiB`)
      }
      if (specific !== undefined) JSON.parse(toQemuJson(specific.data, { pretty: false }))
      const hostBytes = await hostBytesOf(root)
      demand(hostBytes === undefined || hostBytes >= 0, `it uses ${hostBytes} bytes of the host`)
      // Whoever promises zeroes must keep it; who does not may do so all the same.
      if (contract.can?.zeroInit === false) {
        demand(!(await readsZeroWhenNew(root)), 'it promises zeroes, and the contract says that a new image has none')
      }
    }),
    make.image(`a check finds a sound image sound${orRefused(contract.can?.check)}`, 256 * KiB, async (image) => {
      if (canWrite) {
        await image.disk.write(10_000, filled(1, 100_000))
        await image.disk.writeZeroes(64 * KiB, 64 * KiB, { mayUnmap: true })
        await image.disk.flush()
      }
      await ifAble(contract.can?.check, 'a check', async () => {
        await expectSoundCheck(image.disk)
        await expectSoundCheck(await image.reopen())
      })
    }),
  ]
  if (!canWrite) return [...cases, make.skip('emptying', 'the driver cannot write')]
  return [...cases, emptyCase(contract, make)]
}

async function expectSoundCheck(disk: BlockBackend): Promise<void> {
  const { corruptions, leaks, checkErrors } = await disk.check()
  const found = `${corruptions} corruptions, ${leaks} leaks, ${checkErrors} errors`
  demand(corruptions + leaks + checkErrors === 0, `the check of a sound image finds ${found}`)
}

function emptyCase(contract: DriverContract, make: CaseMaker): ContractCase {
  const { can } = contract
  return make.image(`an emptied image reads as zeroes${orRefused(can?.makeEmpty)}`, 256 * KiB, async (image) => {
    await image.disk.write(0, filled(1, 256 * KiB))
    const emptied = await ifAble(can?.makeEmpty, 'emptying', () => image.disk.makeEmpty())
    const expected = filled(emptied ? 0 : 1, 256 * KiB)
    expectSameBytes(await readAll(image.disk), expected, 'before reopening')
    await image.disk.write(0, expected.subarray(0, 1000))
    expectSameBytes(await readAll(await image.reopen()), expected, 'after reopening')
  })
}

function orRefused(declared: boolean | undefined): string {
  return declared === true ? '' : declared === false ? ': refused' : ', or is refused'
}
