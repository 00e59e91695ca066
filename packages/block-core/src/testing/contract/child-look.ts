/** A filter that hands its child to a test: what drivers can ask their children, users cannot ask. */

import { type BlockDriver, type ChildSpec, defineDriver } from '../../driver/block-driver.ts'
import { type Child, ChildRoles } from '../../driver/child.ts'

/** Options of the filter. */
export interface ChildLookOptions {
  readonly image: ChildSpec
}

/** The filter; each node of it adds its child to `found`. */
export function childLook(found: Child[]): BlockDriver<ChildLookOptions, never> {
  return defineDriver<ChildLookOptions>({
    formatName: 'child-look',
    kind: 'filter',
    options: { image: { name: 'image', type: 'node', required: true, help: 'the node to look at' } },
    async open(context, { image }) {
      const child = await context.attach('image', ChildRoles.filtered | ChildRoles.primary, image)
      found.push(child)
      return {
        get length() {
          return child.length
        },
        read: (offset, into) => child.read(offset, into),
        close: async () => {},
      }
    },
  })
}
