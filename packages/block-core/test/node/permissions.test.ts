// Permissions follow the table of spec/block-layer.md, section 11, and conflicts are told in the reference's words.
import { expect, test } from 'vitest'
import { ChildRoles } from '../../src/driver/child.ts'
import { checkPermissionConflicts, childPermissions, permissionNames } from '../../src/node/permissions.ts'

const writable = { writable: true, noIo: false, forceShare: false }
const readOnly = { writable: false, noIo: false, forceShare: false }
const nobody = { taken: 0, shared: 15 }

test('an unused writable qcow2 node takes read, write and resize of its file', () => {
  expect(childPermissions(ChildRoles.image, nobody, writable)).toEqual({ taken: 11, shared: 5 })
})

test('a read-only format takes consistent read unless it does no I/O, and keeps writers out', () => {
  expect(childPermissions(ChildRoles.image, nobody, readOnly)).toEqual({ taken: 1, shared: 5 })
  expect(childPermissions(ChildRoles.image, nobody, { ...readOnly, noIo: true })).toEqual({ taken: 0, shared: 5 })
})

test('a filter passes on what its users take and share', () => {
  expect(childPermissions(ChildRoles.filtered, { taken: 3, shared: 7 }, writable)).toEqual({ taken: 3, shared: 7 })
})

test('a backing file is only read; it may change only under users who share writing', () => {
  expect(childPermissions(ChildRoles.cow, { taken: 11, shared: 15 }, writable)).toEqual({ taken: 1, shared: 15 })
  expect(childPermissions(ChildRoles.cow, { taken: 3, shared: 5 }, writable)).toEqual({ taken: 1, shared: 5 })
})

test('pure data children: writing unchanged needs write, writing needs resize', () => {
  expect(childPermissions(ChildRoles.data, { taken: 4, shared: 15 }, writable)).toEqual({ taken: 14, shared: 7 })
})

test('force-share shares everything', () => {
  expect(childPermissions(ChildRoles.image, nobody, { ...readOnly, forceShare: true })).toEqual({
    taken: 1,
    shared: 15,
  })
})

test('a conflict names both users, the node and the permissions', () => {
  const a = { taken: 1, shared: 5, description: "node 'a'", childName: 'file' }
  const b = { taken: 3, shared: 15, description: 'an unnamed block device', childName: 'root' }
  const text =
    "Permission conflict on node 'n': permissions 'write' are both required by an unnamed block device (uses node 'n' as 'root' child) and unshared by node 'a' (uses node 'n' as 'file' child)."
  expect(() => checkPermissionConflicts('n', [a, b])).toThrow(text)
  expect(() => checkPermissionConflicts('n', [a, { ...b, taken: 1 }])).not.toThrow()
  expect(permissionNames(15)).toBe('consistent read, write, write unchanged, resize')
})
