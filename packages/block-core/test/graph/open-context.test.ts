// What a driver gets while it opens: its children in every spelling, and messages that reach the user.
import { expect, test } from 'vitest'
import { type AnyDriver, ChildRoles, type OpenContext, type ParsedChild } from '../../src/driver.ts'
import type { ImplicitOpenPolicy } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { Permissions } from '../../src/node/permissions.ts'
import { MemoryStore, memory } from '../../src/testing/memory-driver.ts'
import { countedWorld } from '../helpers/counted.ts'
import { toyDriver } from '../helpers/toy-format.ts'
import { failure } from '../helpers/world.ts'

/** Opens a node of a driver that does with its context what the test says. */
async function within(work: (context: OpenContext) => Promise<void>, implicitOpen: ImplicitOpenPolicy = 'deny') {
  const driver: AnyDriver = {
    ...toyDriver,
    formatName: 'probe-context',
    probe: () => 0,
    open: async (context) => {
      await work(context)
      return { length: 512, read: async () => {}, reopen: async () => {}, close: async () => {} }
    },
  }
  const at = countedWorld({ drivers: [driver], implicitOpen })
  at.files.set('disk', new MemoryStore(4096))
  const disk = await at.graph.open(new Map([['driver', 'probe-context']]), { readOnly: true })
  return { ...at, node: graphNode(disk.root) }
}

const parsed = (options: Record<string, string>, reference?: string): ParsedChild => ({
  kind: 'parsed-child',
  options: new Map(Object.entries(options)),
  reference,
})

test('children by description, by options, by name, by node', async () => {
  const { node, graph } = await within(async (context) => {
    const described = await context.attach('described', ChildRoles.data, memory(new MemoryStore(512)))
    await context.attach('options', ChildRoles.data, parsed({ driver: 'file', filename: 'disk', 'node-name': 'named' }))
    await context.attach('reference', ChildRoles.metadata, parsed({}, 'named'))
    await context.attach('node', ChildRoles.data, described.node)
    await context.attachNamed('filename', ChildRoles.image, 'file:disk')
  })
  const children = [...node.children].map(([name, child]) => `${name}: ${child.driverName}`)
  expect(children).toEqual(['described: memory', 'options: file', 'reference: file', 'node: memory', 'filename: file'])
  expect(node.children.get('node')).toBe(node.children.get('described'))
  // Only what was opened here is reopened with this node.
  expect(graphNode(node.children.get('options')!).inheritsFrom).toBe(node)
  await graph.close()
})

test('a file that an image names is a plain file by that very name, if the graph may open it', async () => {
  const asked: unknown[] = []
  const policy: ImplicitOpenPolicy = ({ role, filename, referrer }) => {
    asked.push({ role, filename, referrer: referrer.driverName })
    if (filename === 'other') return memory(new MemoryStore(1024))
    return filename === 'secret' ? 'deny' : 'allow'
  }
  const attach = (context: OpenContext, name: string, filename: string): Promise<unknown> =>
    context.attachRecorded(name, ChildRoles.data, { as: 'data-file', filename })
  const { node, graph } = await within(async (context) => {
    await attach(context, 'data-file', 'disk')
    await attach(context, 'replaced', 'other')
    expect(await failure(attach(context, 'refused', 'secret'))).toBe(
      "The image names the data-file file 'secret', which this graph may not open",
    )
    // Neither a protocol's prefix nor a description counts in a name that comes out of an image.
    for (const name of ['file:disk', 'json:{"driver":"file","filename":"disk"}']) {
      expect(await failure(attach(context, 'plain', name))).toBe(`Could not open '${name}': No such file or directory`)
    }
  }, policy)
  expect(asked[0]).toEqual({ role: 'data-file', filename: 'disk', referrer: 'probe-context' })
  const children = [...node.children].map(([name, child]) => `${name}: ${child.driverName}`)
  expect(children).toEqual(['data-file: file', 'replaced: memory'])
  await graph.close()
})

test('a role that needs less gives permissions back', async () => {
  const { node, graph } = await within(async (context) => {
    await context.attach('file', ChildRoles.image, memory(new MemoryStore(512)))
    context.changeRole('file', ChildRoles.data)
  })
  const edge = node.edges.get('file')
  expect(edge).toMatchObject({ role: ChildRoles.data })
  // Only what holds metadata must not be written by anybody else.
  expect((edge?.permissions.shared ?? 0) & Permissions.write).toBe(Permissions.write)
  await graph.close()
})

test('a child that is missing, or described twice', async () => {
  const missing = within(async (context) => void (await context.attach('log', ChildRoles.data, undefined)))
  expect(await failure(missing)).toBe('A block device must be specified for "log"')
  const twice = within(
    async (context) => void (await context.attach('x', ChildRoles.data, parsed({ driver: 'raw' }, 'n'))),
  )
  const text = 'Cannot reference an existing block device with additional options or a new filename'
  expect(await failure(twice)).toBe(text)
})

test('a child that cannot be attached is closed again', async () => {
  let seen: readonly unknown[] = []
  const { open, graph } = await within(async (context) => {
    await context.attach('first', ChildRoles.data, memory(new MemoryStore(512)))
    const second = context.attach('first', ChildRoles.data, parsed({ driver: 'file', filename: 'disk' }))
    seen = [await failure(second)]
  })
  expect(seen).toEqual([expect.stringContaining('has a first child already')])
  expect(open).toEqual(['probe-context'])
  await graph.close()
})

test('messages', async () => {
  const { messages, graph } = await within(async (context) => {
    context.warn('careful')
    context.reportError('too late')
    context.report('Repairing cluster 5')
  })
  expect(messages).toEqual([
    { kind: 'warning', text: 'careful' },
    { kind: 'error', text: 'too late' },
    { kind: 'line', text: 'Repairing cluster 5' },
  ])
  await graph.close()
})

test('what the driver is told', async () => {
  let told: unknown
  const { node, graph } = await within(async ({ readOnly, filename, nodeName, flags }) => {
    told = { readOnly, filename, nodeName, probed: flags.probed }
  })
  expect(told).toEqual({ readOnly: true, filename: '', nodeName: node.nodeName, probed: false })
  await graph.close()
})

test('a driver that ejects its node while it opens has an open node without medium', async () => {
  const { node, graph } = await within(async (context) => context.eject())
  expect(node.ejected).toBe(true)
  await graph.close()
})

// The context of a node that is opened writable, with or without auto-read-only.
async function writable(common: Record<string, string>, work: (context: OpenContext) => void) {
  const driver: AnyDriver = {
    ...toyDriver,
    formatName: 'cannot-write',
    open: async (context) => {
      work(context)
      return { length: 512, read: async () => {}, reopen: async () => {}, close: async () => {} }
    },
  }
  const at = countedWorld({ drivers: [driver] })
  const flat = new Map(Object.entries({ driver: 'cannot-write', 'read-only': 'off', ...common }))
  return graphNode((await at.graph.open(flat, { noIo: true, readOnly: true })).root)
}

test('a driver that cannot write makes its node read-only where auto-read-only is on', async () => {
  const seen: boolean[] = []
  const node = await writable({ 'auto-read-only': 'on' }, (context) => {
    seen.push(context.readOnly, context.flags.autoReadOnly)
    context.degradeToReadOnly()
    seen.push(context.readOnly)
  })
  expect([...seen, node.readOnly]).toEqual([false, true, true, true])
})

test('… and fails in words of its own where it is off', async () => {
  const off = (message?: string) => failure(writable({}, (context) => context.degradeToReadOnly(message)))
  expect(await off()).toBe('Image is read-only')
  expect(await off('VMDK version 3 must be read only')).toBe('VMDK version 3 must be read only')
  const readOnly = await writable({ 'read-only': 'on' }, (context) => context.degradeToReadOnly('never said'))
  expect(readOnly.readOnly).toBe(true)
})
