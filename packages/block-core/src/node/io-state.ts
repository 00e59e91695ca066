/** What the request path remembers about one node between requests. */

import { BounceBudget } from './bounce-budget.ts'
import { DataRegion } from './data-region.ts'
import { WriteThreshold } from './write-threshold.ts'

/** State of one node's requests. */
export class IoState {
  /** Shared by all nodes of a graph. */
  readonly bounce: BounceBudget
  readonly dataRegion: DataRegion = new DataRegion()
  readonly threshold: WriteThreshold = new WriteThreshold()
  /** How many users want everything that is read to be copied into the node. */
  copyOnReadUsers = 0
  /** End of the furthest write there was, in bytes (QEMU: `wr_highest_offset`). */
  writeHighestOffset = 0
  /** Length that users were last told of, in bytes; `undefined`: it is what it was when they came. */
  announcedLength: number | undefined
  /** The flush that runs now, and the one that begins when it has ended. */
  activeFlush: Promise<void> | undefined
  nextFlush: Promise<void> | undefined

  constructor(bounce: BounceBudget = new BounceBudget()) {
    this.bounce = bounce
  }
}
