/** Names of nodes: the rules for those that users give, and the generated ones. */

import { BlockError } from '../errors.ts'

/** Longest node name in bytes. */
const nodeNameMax = 31

/** Letter first, then letters, digits, `-`, `.`, `_` (QEMU: `id_wellformed`). */
const wellFormed = /^[A-Za-z][A-Za-z0-9\-._]*$/

/** Whether something has a name already. */
export type Taken = (name: string) => boolean

/**
 * @param taken - whether a node has the name already
 * @param isDevice - whether a device has it; they share one namespace with nodes
 * @throws BlockError `EINVAL` with the reference's message
 */
export function checkNodeName(name: string, taken: Taken, isDevice: Taken = () => false): void {
  if (!wellFormed.test(name)) throw new BlockError('EINVAL', `Invalid node-name: '${name}'`)
  if (isDevice(name)) throw new BlockError('EINVAL', `node-name=${name} is conflicting with a device id`)
  if (taken(name)) throw new BlockError('EINVAL', `Duplicate nodes with node-name='${name}'`)
  if (name.length > nodeNameMax) throw new BlockError('EINVAL', 'Node name too long')
}

/**
 * Names a device: a user of a node from outside the graph.
 *
 * @throws BlockError `EINVAL` with the reference's message
 */
export function checkDeviceName(name: string, isNode: Taken, isDevice: Taken): void {
  if (!wellFormed.test(name)) throw new BlockError('EINVAL', 'Invalid device name')
  if (isDevice(name)) throw new BlockError('EINVAL', `Device with id '${name}' already exists`)
  if (isNode(name)) throw new BlockError('EINVAL', `Device name '${name}' conflicts with an existing node name`)
}

/**
 * Names for nodes that got none: `#block`, a running number, two more digits. `#` cannot begin a user's name, so
 * these never collide with one.
 */
export class NodeNames {
  #next = 0

  next(): string {
    const number = this.#next++
    // The reference draws the last two digits at random; a fixed mixture is as unlike a counter and repeats itself in tests.
    return `#block${number}${String((number * 37 + 86) % 100).padStart(2, '0')}`
  }
}
