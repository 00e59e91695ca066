/** What can be said of a range whose content several copies vote on. */

import type { BlockStatus } from '@blocklayer/block-core/driver'

/**
 * Zero only where every copy says so: one that differs may be among those that win.
 *
 * @param answers - one for each copy; `undefined`: it could not tell, so it may have data
 * @param bytes - length of the range
 */
export function combinedStatus(answers: readonly (BlockStatus | undefined)[], bytes: number): BlockStatus {
  let zeroBytes = bytes
  let dataBytes = 0
  for (const answer of answers) {
    if (answer === undefined) dataBytes = bytes
    else if (answer.zero) zeroBytes = Math.min(zeroBytes, answer.bytes)
    else dataBytes = Math.max(dataBytes, answer.bytes)
  }
  return dataBytes > 0 ? { bytes: dataBytes, data: true, zero: false } : { bytes: zeroBytes, data: false, zero: true }
}
