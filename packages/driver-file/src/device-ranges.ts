/** Discarding and zeroing ranges of a block device. */

import { BlockError } from '@blocklayer/block-core/driver'
import { type DeviceRange, discardRange, isRefusedForGood, zeroRange } from './device-calls.ts'
import { errnoOfResult } from './errors.ts'
import { FallocateModes, type Libc } from './libc.ts'

/** As well as the device can; remembers what it cannot. */
export class DeviceRanges {
  readonly #libc: Libc
  #canDiscard = true
  #canPunch = true
  #canZero = true

  constructor(libc: Libc) {
    this.#libc = libc
  }

  /** What the range reads as afterwards is the device's choice. @throws BlockError `ENOTSUP` where it cannot */
  async discard(range: DeviceRange): Promise<void> {
    this.#canDiscard = this.#canDiscard && accepted(await discardRange(this.#libc, range))
    if (!this.#canDiscard) throw BlockError.fromErrno('ENOTSUP')
  }

  /** The range reads as zeroes and need not keep its blocks. @throws BlockError `ENOTSUP` where the device cannot */
  async punch({ fd, offset, bytes }: DeviceRange): Promise<void> {
    const { punchHole } = FallocateModes
    this.#canPunch = this.#canPunch && accepted(await this.#libc.fallocatePooled(fd, punchHole, offset, bytes))
    if (!this.#canPunch) throw BlockError.fromErrno('ENOTSUP')
  }

  /**
   * The range reads as zeroes, by the device's own command.
   *
   * @throws BlockError `ENOTSUP` where it has none
   */
  async zero(range: DeviceRange): Promise<void> {
    this.#canZero = this.#canZero && accepted(await zeroRange(this.#libc, range))
    if (!this.#canZero) throw BlockError.fromErrno('ENOTSUP')
  }
}

/** False where the device will never do this; other failures are thrown. */
function accepted(result: number): boolean {
  if (result < 0 && !isRefusedForGood(result)) throw BlockError.fromErrno(errnoOfResult(result))
  return result >= 0
}
