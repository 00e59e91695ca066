/** The `throttle` driver: names, options and opening. */

import {
  type BlockDriver,
  BlockError,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type NodeSpec,
  nodeSpec,
  type OptionSchema,
} from '@blocklayer/block-core/driver'
import type { ThrottleGroups, ThrottleOptions } from './options.ts'
import type { ThrottleGroup } from './throttle-group.ts'
import { ThrottleLayer } from './throttle-layer.ts'

const throttleOptions: OptionSchema<ThrottleOptions> = {
  file: { name: 'file', type: 'node', required: true, help: 'The node to slow down' },
  throttleGroup: {
    name: 'throttle-group',
    type: 'string',
    strong: true,
    mutable: true,
    help: 'Name of the throttle group',
  },
}

/**
 * The driver over a set of groups. There is no set for the whole process: whoever builds a list of drivers says which
 * groups their descriptions can name.
 */
export function createThrottleDriver(options: { readonly groups: ThrottleGroups }): BlockDriver<ThrottleOptions> {
  const groupOf = ({ throttleGroup: id }: ThrottleOptions): ThrottleGroup => {
    if (id === undefined) throw new BlockError('EINVAL', 'Please specify a throttle group')
    const group = options.groups.get(id)
    if (group === undefined) throw new BlockError('EINVAL', `Throttle group '${id}' does not exist`)
    return group
  }
  return defineDriver<ThrottleOptions>({
    formatName: 'throttle',
    kind: 'filter',
    options: throttleOptions,
    async open(context, options) {
      // What is wrong with the file is told before what is wrong with the group.
      const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
      return new ThrottleLayer(file, options, groupOf)
    },
  })
}

/** Describes a node that shows `file` at the speed that `group` allows. */
export function throttle(options: {
  readonly group: ThrottleGroup
  readonly file: ChildSpec
}): NodeSpec<ThrottleOptions> {
  const { group, file } = options
  const driver = createThrottleDriver({ groups: new Map([[group.id, group]]) })
  return nodeSpec(driver, { throttleGroup: group.id, file })
}
