// What a reopening refuses before anything is touched; words and their order as the reference's blockdev-reopen has them.
import { expect, test } from 'vitest'
import { BlockError } from '../../src/errors.ts'
import { createBlockGraph, enableCopyOnRead, type OptionScalar } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { filterOver } from '../helpers/filter.ts'
import { graphState } from '../helpers/graph-state.ts'
import { namedStores } from '../helpers/named-stores.ts'
import { reopenable, reopenScript } from '../helpers/reopenable.ts'
import { failure } from '../helpers/world.ts'

type Entries = Record<string, OptionScalar>
const options = (entries: Entries) => new Map(Object.entries(entries))

const begun = ['flush n', 'prepare n', 'abort n']

async function opened(entries: Entries = {}, supportsBacking = false) {
  const files = new Map(['a', 'b'].map((name) => [name, new MemoryStore(4096)]))
  const script = reopenScript()
  const graph = createBlockGraph({
    drivers: [namedStores(files), reopenable(script, { supportsBacking })],
    implicitOpen: 'deny',
  })
  const file = { 'file.driver': 'file', 'file.filename': 'a', 'file.node-name': 'f' }
  await graph.addNode(options({ driver: 'file', 'node-name': 'base', filename: 'b', 'read-only': true }))
  const node = graphNode(await graph.addNode(options({ driver: 'reopenable', 'node-name': 'n', ...file, ...entries })))
  script.log.length = 0
  const reopen = (change: Entries) => graph.reopen([{ node: 'n', options: options(change) }])
  /** Fails, and changes nothing; `log` is what the driver was asked: nothing, or it was told to forget it. */
  const refused = async (change: Entries, message: string, log: string[] = []) => {
    const before = graphState(graph)
    expect(await failure(reopen(change))).toBe(message)
    expect(graphState(graph)).toEqual(before)
    expect(script.log.splice(0)).toEqual(log)
  }
  return { graph, node, script, reopen, refused, [Symbol.asyncDispose]: () => graph.close() }
}

test('what changes without being allowed to', async () => {
  await using at = await opened({ fixed: 'x', speed: 4096 })
  await at.refused({ fixed: 'y' }, "Cannot change the option 'fixed'")
  await at.refused({}, "Option 'fixed' cannot be reset to its default value")
  await at.refused({ fixed: 'x', driver: 'raw' }, "Cannot change the option 'driver'")
  await at.refused({ fixed: 'x', 'node-name': 'm' }, "Cannot change the option 'node-name'")
  await at.refused({ fixed: 'x', 'force-share': true, 'read-only': true }, "Cannot change the option 'force-share'")
  await at.refused({ fixed: 'x', unknown: 1 }, "Cannot change the option 'unknown'")
  await at.refused({ fixed: 'x', speed: 'fast' }, "Parameter 'speed' expects a non-negative number below 2^64")
  await at.refused({ fixed: 'x', 'file.driver': 'file' }, "Option 'filename' cannot be reset to its default value")
  await at.refused({ fixed: 'x', 'file.filename': 'b' }, "Cannot change the option 'filename'")
  await at.refused({ fixed: 'x', 'file.filename': 'a', 'file.driver': 'raw' }, "Cannot change the option 'driver'")
  await at.refused(
    { fixed: 'x', backing: 'base' },
    "Driver 'reopenable' of node 'n' does not support backing files",
    begun,
  )
  await at.reopen({ fixed: 'x', driver: 'reopenable', 'node-name': 'n', 'file.filename': 'a', 'file.driver': 'file' })
  expect(at.script.changes.get('n')?.options).toEqual({ fixed: 'x' })
})

// An option given with another type than before has another value, even where both read the same.
test('types count, and options of a child that somebody else opened', async () => {
  await using at = await opened({ fixed: '1' })
  await at.refused({ fixed: 1 }, "Cannot change the option 'fixed'")
  await at.reopen({ fixed: '1', file: 'base', 'read-only': true })
  expect(at.node.children.get('file')?.nodeName).toBe('base')
  at.script.log.length = 0
  const foreign = { fixed: '1', 'file.filename': 'b', 'read-only': true }
  await at.refused(foreign, "Cannot change the option 'file.filename'")
})

test('a node that can have a backing file is told about it', async () => {
  await using at = await opened({ backing: 'base' }, true)
  await at.refused({}, "backing is missing for 'n'")
  await at.refused({ backing: 'nothing' }, "Cannot find device='' nor node-name='nothing'")
  await at.refused({ backing: 'n' }, "Making 'n' a backing child of 'n' would create a cycle", begun)
  await at.reopen({ backing: null })
  await at.reopen({})
  expect(at.node.backing).toBeUndefined()
})

test('copy-on-read, drivers that cannot, names that nobody has', async () => {
  await using at = await opened()
  const end = enableCopyOnRead(at.node)
  await at.refused({ 'read-only': true }, "Can't set node 'n' to r/o with copy-on-read enabled")
  end()
  await at.reopen({ 'read-only': true })
  expect(await failure(at.graph.reopen([{ node: 'zz', options: new Map() }]))).toBe(
    "Failed to find node with node-name='zz'",
  )
  const { prepareReopen: _, ...layer } = at.node.layer
  at.node.setLayer(layer)
  at.script.log.length = 0
  await at.refused({ 'read-only': true }, "Block format 'reopenable' used by node 'n' does not support reopening files")
})

test('a filter has no backing file', async () => {
  await using at = await opened()
  const filter = await at.graph.addNode(filterOver(at.node, { nodeName: 'flt' }))
  const change = at.graph.reopen([{ node: filter, options: options({ backing: 'base' }) }])
  expect(await failure(change)).toBe("'flt' is a filter filter node that does not support a backing child")
})

test('zeroes are unmapped only where discards are passed on', async () => {
  await using at = await opened({ discard: 'unmap' })
  const text = 'setting detect-zeroes to unmap is not allowed without setting discard operation to unmap'
  await at.refused({ 'detect-zeroes': 'unmap' }, text)
  await at.reopen({ 'detect-zeroes': 'unmap', discard: 'unmap' })
  expect([at.node.detectZeroes, at.node.flags.unmap]).toEqual(['unmap', true])
  // The reference forgets to take discards back here, and accepts it.
  at.script.log.length = 0
  await at.refused({ 'detect-zeroes': 'unmap' }, text)
  await at.reopen({})
  expect([at.node.detectZeroes, at.node.flags.unmap]).toEqual(['off', false])
})

test('a failing flush keeps everything as it is', async () => {
  await using at = await opened()
  at.script.before = (step) => {
    if (step === 'flush n') throw BlockError.fromErrno('EIO')
  }
  expect(await failure(at.reopen({ speed: 1 }))).toBe('Error flushing drive: Input/output error')
  expect(at.script.changes.size).toBe(0)
  at.script.before = () => {}
})
