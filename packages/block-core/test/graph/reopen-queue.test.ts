// Which nodes a reopening takes, in which order, and what they are to become: values that are given, then kept, then taken
// over from the opener.
import { expect, test } from 'vitest'
import { addNode } from '../../src/graph/add-node.ts'
import { GraphCore } from '../../src/graph/graph-core.ts'
import { newChildren, reopenQueue } from '../../src/graph/reopen-queue.ts'
import type { OptionScalar } from '../../src/index.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { namedStores } from '../helpers/named-stores.ts'
import { reopenable, reopenScript } from '../helpers/reopenable.ts'

type Entries = Record<string, OptionScalar>
const options = (entries: Entries) => new Map(Object.entries(entries))

async function graph() {
  const files = new Map(['a', 'b'].map((name) => [name, new MemoryStore(4096)]))
  const drivers = [namedStores(files), reopenable(reopenScript(), { supportsBacking: true })]
  const core = new GraphCore({ drivers, implicitOpen: 'deny' })
  const add = (entries: Entries) => addNode(core, options(entries))
  await add({ driver: 'file', 'node-name': 'base', filename: 'b', 'read-only': true })
  const top = await add({
    driver: 'reopenable',
    'node-name': 'top',
    speed: 1,
    'read-only': true,
    'cache.direct': true,
    backing: 'base',
    'file.driver': 'file',
    'file.node-name': 'f',
    'file.filename': 'a',
  })
  const find = (name: string) => core.nodes.get(name)
  return { core, top, base: find('base')!, file: find('f')!, find }
}

test('the node, then the children that it opened, but not those that it was given', async () => {
  const { top } = await graph()
  const entries = reopenQueue([{ node: top, options: options({ backing: 'base' }), keepOld: false }])
  expect(entries.map(({ node, isNamed, keepOld }) => [node.nodeName, isNamed, keepOld])).toEqual([
    ['top', true, false],
    ['f', false, true],
  ])
  // What is not given goes back to its default, and the file takes that over, as it had taken over the old one.
  expect(entries.map(({ common }) => [common.readOnly, common.direct])).toEqual([
    [false, false],
    [false, false],
  ])
  expect(entries.map(({ given }) => [...given])).toEqual([[], [['filename', 'a']]])
})

// As the reference does it: the file stays read-only when its image is named as the one that is to become writable.
test('a child that is named keeps what it has, but for what its parent speaks of', async () => {
  const { top, base, file } = await graph()
  const modes = (entries: Entries) =>
    reopenQueue([{ node: top, options: options({ backing: 'base', ...entries }), keepOld: false }]).map(
      ({ node, common }) => `${node.nodeName} ${common.readOnly ? 'ro' : 'rw'} ${common.direct ? 'direct' : 'cached'}`,
    )
  expect(modes({ file: 'f' })).toEqual(['top rw cached', 'f ro direct'])
  expect(modes({ file: 'f', 'read-only': false })).toEqual(['top rw cached', 'f rw direct'])
  expect(modes({ file: 'f', 'cache.direct': false })).toEqual(['top rw cached', 'f ro cached'])
  expect(modes({})).toEqual(['top rw cached', 'f rw cached'])
  // A backing file that was opened inline is read-only unless it says otherwise itself.
  base.inheritsFrom = top
  base.readOnly = false
  expect(modes({ file: 'f' })).toEqual(['top rw cached', 'f ro direct', 'base ro cached'])
  expect(file.readOnly).toBe(true)
})

test('kept options stay as they are, where nothing is given', async () => {
  const { top } = await graph()
  const [entry, file] = reopenQueue([{ node: top, options: options({ 'read-only': false }), keepOld: true }])
  expect([entry?.common.readOnly, entry?.common.direct, file?.common.readOnly]).toEqual([false, true, false])
  expect(new Map(entry?.given)).toEqual(options({ 'read-only': false, 'cache.direct': true, speed: 1 }))
})

test('a child’s own options win over what it would take over; a described child keeps none of its old ones', async () => {
  const { top } = await graph()
  const own = {
    'read-only': true,
    'file.read-only': false,
    'file.filename': 'a',
    'file.driver': 'file',
    backing: 'base',
  }
  const [entry, file] = reopenQueue([{ node: top, options: options(own), keepOld: false }])
  expect([entry?.common.readOnly, file?.common.readOnly, file?.keepOld]).toEqual([true, false, false])
  expect([...(entry?.described ?? [])]).toEqual(['file'])
  expect(new Map(file?.passed)).toEqual(options({ 'read-only': false, filename: 'a', driver: 'file' }))
})

test('a node that is named beside its opener has its own options, and comes after it', async () => {
  const { top, file } = await graph()
  const entries = reopenQueue([
    { node: file, options: options({ filename: 'a' }), keepOld: false },
    { node: top, options: options({ 'read-only': true }), keepOld: false },
    { node: top, options: options({ 'read-only': true, speed: 7 }), keepOld: false },
  ])
  expect(entries.map(({ node, isNamed, common }) => [node.nodeName, isNamed, common.readOnly])).toEqual([
    ['top', true, true],
    ['f', true, true],
  ])
  // Named twice, the last word counts.
  expect(entries[0]?.passed.get('speed')).toBe(7)
  // Given another file, the old one is on its own.
  const apart = reopenQueue([
    { node: file, options: options({ filename: 'a' }), keepOld: false },
    { node: top, options: options({ file: 'base' }), keepOld: false },
  ])
  expect(apart.map(({ node, common }) => [node.nodeName, common.readOnly])).toEqual([
    ['f', false],
    ['top', false],
  ])
})

test('an option takes the place of those that it replaces', async () => {
  const { top } = await graph()
  const given = (entries: Entries) =>
    Object.fromEntries(reopenQueue([{ node: top, options: options(entries), keepOld: true }])[0]?.given ?? [])
  expect(given({})).toMatchObject({ speed: 1 })
  expect(given({ pace: 3 })).toMatchObject({ pace: 3 })
  expect(given({ pace: 3 })).not.toHaveProperty('speed')
  // Given together, both stand: whether that can be is the driver's to judge.
  expect(given({ pace: 3, speed: 2 })).toMatchObject({ pace: 3, speed: 2 })
})

test('what does not parse is told before anything else', async () => {
  const { top } = await graph()
  const plan = (entries: Entries) => () => reopenQueue([{ node: top, options: options(entries), keepOld: false }])
  expect(plan({ 'read-only': 'maybe' })).toThrow("Parameter 'read-only' expects 'on' or 'off'")
  expect(plan({ discard: 'maybe' })).toThrow('Invalid discard option')
})

test('a node that could not be written when it was opened stays read-only as long as that is allowed', async () => {
  const { top } = await graph()
  top.degraded = true
  const readOnly = (entries: Entries) =>
    reopenQueue([{ node: top, options: options(entries), keepOld: false }])[0]?.common.readOnly
  expect([readOnly({ 'auto-read-only': true }), readOnly({})]).toEqual([true, false])
})

test('children by reference: other nodes, none, or what cannot be', async () => {
  const { top, base, file, find } = await graph()
  const children = (entries: Entries) => {
    const [entry] = reopenQueue([{ node: top, options: options(entries), keepOld: false }])
    return newChildren(entry!, find)
  }
  expect([...children({ backing: 'base', file: 'f' })]).toEqual([])
  expect([...children({ backing: null, file: 'base' })]).toEqual([
    ['file', base],
    ['backing', undefined],
  ])
  expect(() => children({ backing: 'nothing' })).toThrow("Cannot find device='' nor node-name='nothing'")
  expect(() => children({ file: null })).toThrow("Cannot change the option 'file'")
  file.implicit = true
  expect(() => children({ file: 'base' })).toThrow('Cannot replace implicit file child of top')
})

// The reference lets it through, and then writes without any lock.
test('a node that shares everything does not become writable', async () => {
  const { top } = await graph()
  const modes = (readOnly: boolean) => {
    const given = options({ 'force-share': true, backing: 'base', 'read-only': readOnly })
    return reopenQueue([{ node: top, options: given, keepOld: false }])
  }
  expect(modes(true)[0]?.common.readOnly).toBe(true)
  expect(() => modes(false)).toThrow('force-share=on can only be used with read-only images')
})
