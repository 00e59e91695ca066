/** How a throttle node is described. */

import type { ChildSpec } from '@blocklayer/block-core/driver'
import type { ThrottleGroup } from './throttle-group.ts'

/** Runtime options. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsThrottle */
export interface ThrottleOptions {
  readonly file?: ChildSpec
  /** Name of the group whose limits hold. */
  readonly throttleGroup?: string
}

/** Where the driver looks groups up; a `Map` is one. Groups may come and go while nodes are open. */
export interface ThrottleGroups {
  get(id: string): ThrottleGroup | undefined
}
