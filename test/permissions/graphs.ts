/** Graphs whose permissions are compared: nodes as `blockdev-add` takes them, and users as NBD exports are. */

/** A node, or a user of one. */
export type Step = { readonly node: Record<string, unknown> } | { readonly use: string; readonly writable?: boolean }

const file = (filename: string, more: object = {}) => ({ driver: 'file', filename, ...more })
const node = (name: string, driver: string, more: object = {}): Step => ({
  node: { driver, 'node-name': name, ...more },
})
const use = (name: string): Step => ({ use: name })
const write = (name: string): Step => ({ use: name, writable: true })

/** The chain with every node named by the user. */
const chain: readonly Step[] = [
  node('b', 'qcow2', { file: file('base', { 'node-name': 'bf' }), 'read-only': true }),
  node('m', 'qcow2', { file: file('mid', { 'node-name': 'mf' }), backing: 'b', 'read-only': true }),
  node('t', 'qcow2', { file: file('top', { 'node-name': 'tf' }), backing: 'm' }),
]
const storage = node('f', 'file', { filename: 'r' })
const image = node('q', 'qcow2', { file: file('base', { 'node-name': 'qf' }) })

/** By what is special about them. */
export const graphs: Readonly<Record<string, readonly Step[]>> = {
  'raw that nobody uses': [storage, node('n', 'raw', { file: 'f' })],
  'raw, read': [storage, node('n', 'raw', { file: 'f' }), use('n')],
  'raw, written and read by another': [storage, node('n', 'raw', { file: 'f' }), write('n'), use('n')],
  'a window, written': [storage, node('n', 'raw', { file: 'f', offset: 512, size: 65536 }), write('n')],
  'two windows side by side': [
    storage,
    node('n', 'raw', { file: 'f', size: 65536 }),
    node('o', 'raw', { file: 'f', offset: 65536, size: 65536 }),
    write('n'),
    write('o'),
  ],
  'a window that nobody uses': [storage, node('n', 'raw', { file: 'f', offset: 512 })],
  'qcow2 that nobody uses': [image],
  'qcow2, read-only': [node('q', 'qcow2', { file: file('base', { 'node-name': 'qf' }), 'read-only': true }), use('q')],
  'a chain that nobody uses': chain,
  'a chain, written': [...chain, write('t')],
  'a chain, read in the middle': [...chain, write('t'), use('m')],
  'a writable backing file': [
    node('b', 'qcow2', { file: file('base', { 'node-name': 'bf' }) }),
    node('t', 'qcow2', { file: file('mid', { 'node-name': 'tf' }), backing: 'b' }),
    write('t'),
    write('b'),
  ],
  'raw over qcow2': [image, node('n', 'raw', { file: 'q' }), write('n')],
  'blkdebug, its own permissions': [
    storage,
    node('d', 'blkdebug', { image: 'f', 'take-child-perms': ['write'], 'unshare-child-perms': ['resize'] }),
  ],
  'blkdebug between format and file': [
    storage,
    node('d', 'blkdebug', { image: 'f', 'take-child-perms': ['resize'] }),
    node('n', 'raw', { file: 'd' }),
    write('n'),
  ],
  'copy-on-read above a chain': [...chain, node('c', 'copy-on-read', { file: 't' }), write('c')],
  'copy-on-read that nobody uses': [...chain, node('c', 'copy-on-read', { file: 't' })],
  'copy-on-read with a bottom': [...chain, node('c', 'copy-on-read', { file: 't', bottom: 'm' }), use('c')],
  'compress above qcow2': [image, node('c', 'compress', { file: 'q' }), write('c')],
  'preallocate below raw': [
    storage,
    node('p', 'preallocate', { file: 'f' }),
    node('n', 'raw', { file: 'p' }),
    write('n'),
  ],
  'quorum, written': [
    storage,
    node('g', 'file', { filename: 'copy' }),
    node('v', 'quorum', { children: ['f', 'g'], 'vote-threshold': 1 }),
    write('v'),
  ],
  'blkverify, written': [
    storage,
    node('g', 'file', { filename: 'copy' }),
    node('v', 'blkverify', { test: 'f', raw: 'g' }),
    write('v'),
  ],
  'blklogwrites, written': [
    storage,
    node('g', 'file', { filename: 'copy' }),
    node('v', 'blklogwrites', { file: 'f', log: 'g' }),
    write('v'),
  ],
  'force-share': [
    node('q', 'qcow2', { file: file('base', { 'node-name': 'qf' }), 'read-only': true, 'force-share': true }),
    use('q'),
  ],
  'refused: a writer beside a format': [image, write('qf')],
  'refused: a format beside a writer': [storage, write('f'), node('q', 'qcow2', { file: 'f' })],
  'refused: two formats on one file': [image, node('o', 'qcow2', { file: 'qf' })],
  'refused: a writer above a read-only node': [...chain, node('n', 'raw', { file: 'm' }), write('n')],
  'refused: what blkdebug does not share': [
    storage,
    node('d', 'blkdebug', { image: 'f', 'unshare-child-perms': ['write', 'write-unchanged'] }),
    write('f'),
  ],
  'refused: a quorum child that others write': [
    storage,
    node('g', 'file', { filename: 'copy' }),
    node('v', 'quorum', { children: ['f', 'g'], 'vote-threshold': 2 }),
    write('v'),
    write('f'),
  ],
  'refused: a writer below a filter that is a reader': [
    storage,
    node('d', 'blkdebug', { image: 'f', 'unshare-child-perms': ['consistent-read'] }),
    use('f'),
  ],
}
