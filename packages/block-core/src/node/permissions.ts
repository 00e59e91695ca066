/** What a user of a node may do, and what it lets others do (QEMU: `BLK_PERM_*`). */

import { ChildRoles } from '../driver/child.ts'
import { BlockError } from '../errors.ts'

/** Permission bits with QEMU's values; they are also the byte numbers of the image locks. */
export const Permissions = {
  /** The view is a complete point-in-time disk. */
  consistentRead: 1,
  /** May change visible content. */
  write: 2,
  /** May write without changing content. */
  writeUnchanged: 4,
  /** May change the length. */
  resize: 8,
  all: 15,
} as const

/** Bits that a user takes, and bits that it shares with the others. */
export interface PermissionSet {
  readonly taken: number
  readonly shared: number
}

const names: readonly (readonly [number, string])[] = [
  [Permissions.consistentRead, 'consistent read'],
  [Permissions.write, 'write'],
  [Permissions.writeUnchanged, 'write unchanged'],
  [Permissions.resize, 'resize'],
]

/** `consistent read, write`: the names as they stand in messages. */
export function permissionNames(bits: number): string {
  return names
    .filter(([bit]) => (bits & bit) !== 0)
    .map(([, name]) => name)
    .join(', ')
}

/** What the rules need to know about the two nodes. */
export interface PermissionParent {
  /** The parent may write. */
  readonly writable: boolean
  /** The parent only looks at metadata. */
  readonly noIo: boolean
  /** The child is read whoever writes to it. */
  readonly forceShare: boolean
}

/**
 * What a parent node with cumulative permissions `own` takes on, and shares of, a child in `role`.
 *
 * @see spec/block-layer.md, section 11, "Default child permissions"
 */
export function childPermissions(role: number, own: PermissionSet, parent: PermissionParent): PermissionSet {
  const set =
    (role & ChildRoles.filtered) !== 0
      ? own
      : (role & ChildRoles.cow) !== 0
        ? backingPermissions(own)
        : storagePermissions(role, own, parent)
  return parent.forceShare ? { taken: set.taken, shared: Permissions.all } : set
}

function backingPermissions(own: PermissionSet): PermissionSet {
  const { consistentRead, write, writeUnchanged, resize } = Permissions
  // A writer of the overlay who lets others write cannot mind if the backing file changes and grows.
  const shared = consistentRead | writeUnchanged | ((own.shared & write) !== 0 ? write | resize : 0)
  return { taken: own.taken & consistentRead, shared }
}

function storagePermissions(role: number, own: PermissionSet, parent: PermissionParent): PermissionSet {
  const { consistentRead, write, writeUnchanged, resize } = Permissions
  let { taken, shared } = own
  if ((role & ChildRoles.metadata) !== 0) {
    if (parent.writable) taken |= write | resize
    if (!parent.noIo) taken |= consistentRead
    shared &= ~(write | resize)
  }
  if ((role & ChildRoles.data) !== 0) {
    if ((taken & writeUnchanged) !== 0) taken |= write
    if ((taken & write) !== 0) taken |= resize
    shared &= ~resize
  }
  return { taken, shared }
}

/** One user of a node, for the conflict message. */
export interface PermissionUser extends PermissionSet {
  /** `node 'x'`, `an unnamed block device`, `commit job 'id'`. */
  readonly description: string
  readonly childName: string
}

/** @throws BlockError `EPERM` where one user takes what another does not share */
export function checkPermissionConflicts(nodeName: string, users: readonly PermissionUser[]): void {
  for (const a of users) {
    for (const b of users) {
      const conflict = b.taken & ~a.shared & Permissions.all
      if (a === b || conflict === 0) continue
      const use = (user: PermissionUser) => `${user.description} (uses node '${nodeName}' as '${user.childName}' child)`
      throw new BlockError(
        'EPERM',
        `Permission conflict on node '${nodeName}': permissions '${permissionNames(conflict)}' are both required by ${use(b)} and unshared by ${use(a)}.`,
      )
    }
  }
}
