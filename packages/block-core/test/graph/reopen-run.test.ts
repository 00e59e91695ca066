// Several nodes are reopened all together or not at all: whatever fails, at whichever node, all is as it was, the drivers
// too; then the same change works.
import { expect, test } from 'vitest'
import { BlockError } from '../../src/errors.ts'
import { createBlockGraph, type OptionScalar, Permissions } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { MemoryStore } from '../../src/testing/memory-driver.ts'
import { filled } from '../../src/testing/patterns.ts'
import { filterOver } from '../helpers/filter.ts'
import { graphState } from '../helpers/graph-state.ts'
import { namedStores } from '../helpers/named-stores.ts'
import { gate, settle } from '../helpers/open-recorder.ts'
import { Recorder, record } from '../helpers/recorder.ts'
import { reopenable, reopenScript } from '../helpers/reopenable.ts'
import { failure } from '../helpers/world.ts'

const { consistentRead, write, resize, all } = Permissions
const names = ['a', 'b', 'c']
const options = (entries: Record<string, OptionScalar>) => new Map(Object.entries(entries))

/** Three writable images side by side, each over a file of its own. */
async function three() {
  const files = new Map([...names, 'spare'].map((name) => [name, new MemoryStore(4096)]))
  const script = reopenScript()
  const graph = createBlockGraph({ drivers: [namedStores(files), reopenable(script)], implicitOpen: 'deny' })
  for (const name of names) {
    const file = { 'file.driver': 'file', 'file.filename': name, 'file.node-name': `${name}-file` }
    await graph.addNode(options({ driver: 'reopenable', 'node-name': name, speed: 1, ...file }))
  }
  script.log.length = 0
  const change = () => graph.reopen(names.map((node) => ({ node, options: options({ speed: 2, 'read-only': true }) })))
  return { graph, script, change, [Symbol.asyncDispose]: () => graph.close() }
}

test('all are prepared before any is committed, parents before children and back', async () => {
  await using at = await three()
  await at.change()
  const each = (step: string) => names.map((name) => `${step} ${name}`)
  const prepares = names.flatMap((name) => [`flush ${name}`, `prepare ${name}`])
  expect(at.script.log).toEqual([...prepares, ...each('commit').reverse()])
  expect(at.graph.nodes.map((node) => node.readOnly)).toEqual([true, true, true, true, true, true])
  expect(at.script.changes.get('b')).toMatchObject({ readOnly: true, options: { speed: 2 } })
})

test.each(names.flatMap((name) => [`prepare ${name}`, `commit ${name}`]))(
  'nothing changes where %s fails',
  async (step) => {
    await using at = await three()
    await at.change()
    await at.graph.reopen(names.map((node) => ({ node, options: options({ speed: 1 }) })))
    const before = graphState(at.graph)
    at.script.before = (now) => {
      if (now !== step) return
      at.script.before = () => {}
      throw new BlockError('EACCES', 'refused')
    }
    expect(await failure(at.change())).toBe('refused')
    expect(graphState(at.graph)).toEqual(before)
    // Who had committed was given its old options back, by the same door.
    for (const name of names) {
      expect(at.script.changes.get(name)).toMatchObject({ readOnly: false, options: { speed: 1 } })
    }
    const count = (what: string) => at.script.log.filter((line) => line.startsWith(what)).length
    expect(count('prepare') - count('commit') - count('abort')).toBe(step.startsWith('prepare') ? 1 : 0)
    await at.change()
    expect(at.script.changes.get('a')).toMatchObject({ readOnly: true, options: { speed: 2 } })
  },
)

test('permissions are those of the new graph as a whole, or of the old one', async () => {
  await using at = await three()
  await at.change()
  const strict = at.graph.backend(at.graph.node('b-file')!, { permissions: { taken: 0, shared: consistentRead } })
  const before = graphState(at.graph)
  const back = () => at.graph.reopen(names.map((node) => ({ node, options: options({ speed: 1 }) })))
  expect(await failure(back())).toMatch(
    /^Permission conflict on node 'b-file': permissions 'write, resize' are both required by node 'b' /,
  )
  expect(graphState(at.graph)).toEqual(before)
  expect(at.script.log.slice(-3)).toEqual(['abort c', 'abort b', 'abort a'])
  await strict.close()
  await back()
  expect(at.graph.nodes.map((node) => node.readOnly)).toEqual([false, false, false, false, false, false])
})

test('a lock that the second file cannot have', async () => {
  const recorders = names.map(() => new Recorder(4096))
  const script = reopenScript()
  const driver = reopenable(script)
  await using graph = createBlockGraph({ drivers: [driver], implicitOpen: 'deny' })
  for (const [index, nodeName] of names.entries()) {
    const file = record(recorders[index]!, { nodeName: `${nodeName}-file` })
    await graph.addNode({ driver, options: { file }, nodeName, readOnly: true })
  }
  const before = graphState(graph)
  recorders[1]!.lock = ({ taken }) => {
    if ((taken & write) !== 0) throw new BlockError('EAGAIN', 'Failed to get "write" lock')
  }
  for (const recorder of recorders) recorder.take()
  const change = () => graph.reopen(names.map((node) => ({ node, options: new Map() })))
  expect(await failure(change())).toBe('Failed to get "write" lock')
  expect(graphState(graph)).toEqual(before)
  expect(recorders.map((recorder) => [recorder.permissions, recorder.take()])).toEqual(
    recorders.map(() => [{ taken: consistentRead, shared: 7 & ~write }, []]),
  )
  recorders[1]!.lock = undefined
  await change()
  expect(recorders.map((recorder) => recorder.take())).toEqual(recorders.map(() => ['reopen rw']))
})

test('users are stopped, and nothing they wrote is lost', async () => {
  await using at = await three()
  const disk = at.graph.backend(at.graph.node('a')!, { permissions: { taken: consistentRead | write, shared: all } })
  const spare = await at.graph.addNode(options({ driver: 'file', 'node-name': 'spare', filename: 'spare' }))
  const writes = [0, 1, 2].map((index) => disk.write(index * 512, filled(index + 1, 512)))
  const reopening = at.graph.reopen([{ node: 'a', options: options({ speed: 3, file: 'spare' }) }])
  await settle()
  const late = disk.write(1536, filled(4, 512))
  await Promise.all([...writes, reopening, late])
  expect(graphNode(at.graph.node('a')!).children.get('file')).toBe(spare)
  // The old file was opened for this image alone; nobody else holds it.
  expect(at.graph.node('a-file')).toBeUndefined()
  const into = new Uint8Array(2048)
  await disk.read(0, into)
  expect(into).toEqual(new Uint8Array([...new Uint8Array(1536), ...filled(4, 512)]))
  const conflict = at.graph.reopen([{ node: 'a', options: options({ speed: 3, 'read-only': true }) }])
  expect(await failure(conflict)).toBe("Read-only block node 'a' cannot support read-write users")
})

test('what the way back meets is kept as the cause', async () => {
  await using at = await three()
  at.script.before = (step) => {
    if (step === 'commit b') throw new BlockError('EIO', 'commit b failed')
    if (step === 'abort a') throw new Error('abort a failed')
  }
  const error = await at.change().catch((reason: unknown) => reason)
  expect((error as Error).message).toBe('commit b failed')
  expect(((error as Error).cause as AggregateError).errors.map(String)).toContain('Error: abort a failed')
})

/** Holds the step `now` until it is let go on. */
function holding(script: ReturnType<typeof reopenScript>, now: string): ReturnType<typeof gate> {
  const hold = gate()
  script.before = (step) => (step === now ? hold.opened : undefined)
  return hold
}

const steps = (log: readonly string[]) => log.filter((line) => !line.startsWith('flush'))

test.each([false, true])('two reopenings of one node come one after the other; the first fails: %s', async (fails) => {
  await using at = await three()
  const reopen = (speed: number) => at.graph.reopen([{ node: 'a', options: options({ speed }) }])
  const hold = gate()
  at.script.before = async (step) => {
    if (step !== 'commit a') return
    at.script.before = () => {}
    await hold.opened
    if (fails) throw new BlockError('EIO', 'refused')
  }
  const first = failure(reopen(2))
  await settle()
  const second = reopen(3)
  await settle()
  expect(steps(at.script.log)).toEqual(['prepare a', 'commit a'])
  hold.open()
  await second
  expect(await first).toBe(fails ? 'refused' : 'no failure')
  expect(steps(at.script.log)).toEqual(['prepare a', 'commit a', 'prepare a', 'commit a'])
  expect(graphNode(at.graph.node('a')!).typedOptions).toMatchObject({ speed: 3 })
})

test('a node is not closed, and its neighbours are not changed, between the steps of a reopening', async () => {
  await using at = await three()
  const disk = at.graph.backend(at.graph.node('a')!, { permissions: { taken: consistentRead, shared: all } })
  const spare = await at.graph.addNode(options({ driver: 'file', 'node-name': 'spare', filename: 'spare' }))
  const hold = holding(at.script, 'commit a')
  const reopening = at.graph.reopen(['a', 'b'].map((node) => ({ node, options: options({ speed: 2 }) })))
  await settle()
  const closing = disk.close()
  const removing = at.graph.removeNode('b')
  const replacing = at.graph.replaceNode(at.graph.node('c-file')!, spare)
  const other = at.graph.replaceNode(at.graph.node('a')!, spare)
  await Promise.all([settle(), replacing])
  expect([at.graph.node('b')?.nodeName, graphNode(at.graph.node('a')!).parents.size]).toEqual(['b', 1])
  hold.open()
  await Promise.all([reopening, closing, removing, other])
  expect(steps(at.script.log).filter((line) => !line.endsWith(' c'))).toEqual([
    'prepare a',
    'prepare b',
    'commit b',
    'commit a',
    'close b',
  ])
  expect(at.graph.node('b')).toBeUndefined()
})

test('who comes between the steps of a reopening that fails keeps its locks', async () => {
  const recorder = new Recorder(4096)
  const script = reopenScript()
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const file = await graph.addNode(record(recorder, { nodeName: 'f' }))
  await graph.addNode({ driver: reopenable(script), options: { file }, nodeName: 'a', readOnly: true })
  const hold = gate()
  script.before = async (step) => {
    if (step !== 'commit a') return
    await hold.opened
    throw new BlockError('EIO', 'refused')
  }
  const reopening = failure(graph.reopen([{ node: 'a', options: new Map([['file', 'f']]) }]))
  await settle()
  expect(recorder.permissions?.taken).toBe(consistentRead | write | resize)
  const { writeUnchanged } = Permissions
  const user = graph.backend(file, { permissions: { taken: writeUnchanged, shared: all } })
  hold.open()
  expect(await reopening).toBe('refused')
  expect(recorder.permissions).toEqual({ taken: consistentRead | writeUnchanged, shared: 7 & ~write })
  await user.close()
})

// As the reference joins them: what the second does not speak of stays as the first has it.
test('a node that is listed twice is reopened once', async () => {
  await using at = await three()
  await at.graph.reopen([
    { node: 'a', options: options({ speed: 2, 'read-only': true, 'cache.no-flush': true }) },
    { node: at.graph.node('a')!, options: options({ 'detect-zeroes': 'on', 'read-only': false }) },
  ])
  const node = graphNode(at.graph.node('a')!)
  expect(at.script.log.filter((line) => line === 'commit a')).toEqual(['commit a'])
  expect([node.readOnly, node.detectZeroes, node.flags.noFlush, node.typedOptions]).toMatchObject([
    false,
    'on',
    true,
    { speed: 2 },
  ])
})

test('a file that is given by its name keeps its own options', async () => {
  await using at = await three()
  const file = await at.graph.addNode(options({ driver: 'file', 'node-name': 'spare', filename: 'spare' }))
  await at.graph.addNode(options({ driver: 'reopenable', 'node-name': 'd', file: 'spare' }))
  expect(graphNode(file).inheritsFrom).toBeUndefined()
  await at.graph.reopen([{ node: 'd', options: options({ file: 'spare', 'read-only': true }) }])
  expect([at.graph.node('d')!.readOnly, file.readOnly]).toEqual([true, false])
})

test('what a file can take by then bounds everybody above it', async () => {
  const recorder = new Recorder(4096)
  const limits = { maxTransfer: 2048 }
  recorder.limits = limits
  await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
  const node = await graph.addNode(filterOver(record(recorder), { nodeName: 'n' }))
  const above = await graph.addNode(filterOver(node, { nodeName: 'above', readOnly: true }))
  recorder.before = async () => {
    limits.maxTransfer = 512
  }
  await graph.reopen([{ node, options: options({ 'read-only': true }) }])
  expect([node, above].map((each) => graphNode(each).limits.maxTransfer)).toEqual([512, 512])
})
