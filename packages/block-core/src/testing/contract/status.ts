/** Contract cases: block status tells the truth. */

import { isZero } from '../../util/bytes.ts'
import { filled } from '../patterns.ts'
import type { ContractCase, DriverContract, MakeCase } from './types.ts'
import { readBack } from './read-back.ts'

const KiB = 1024

/** Cases about extents. */
export function statusCases(contract: DriverContract, make: MakeCase): ContractCase[] {
  const cover = make(
    'extents cover the image without gaps, and zero ones read as zero',
    512 * KiB,
    async ({ disk }) => {
      if (contract.can?.write !== false) {
        await disk.write(100 * KiB, filled(1, 50 * KiB))
        await disk.writeZeroes(300 * KiB, 100 * KiB, { mayUnmap: true })
        await disk.write(500 * KiB, filled(2, 12 * KiB))
      }
      let at = 0
      for await (const extent of disk.map()) {
        if (extent.start !== at || extent.bytes <= 0) throw new Error(`extent at ${extent.start} instead of ${at}`)
        at += extent.bytes
        if (extent.zero && !isZero(await readBack(disk, extent.start, extent.bytes))) {
          throw new Error(`the extent at ${extent.start} says zero and is not`)
        }
      }
      if (at !== disk.length) throw new Error(`the extents end at ${at} of ${disk.length}`)
    },
  )
  return [cover]
}
