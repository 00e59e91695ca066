// Dropping images from the middle of a chain: who stands where and records what afterwards; what is refused; and that a
// failure at any step leaves everything as it was, on disk and in memory.
import { beforeEach, describe, expect, test } from 'vitest'
import { BlockError, type BlockNode } from '../../src/driver.ts'
import { freezeBackingChain, reopenReadOnly } from '../../src/graph/operations.ts'
import { Permissions } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { brokenStore } from '../helpers/broken-store.ts'
import { filterOver } from '../helpers/filter.ts'
import { chain, failure, type World, world } from '../helpers/world.ts'

let at: World
beforeEach(async () => {
  at = world()
  await chain(at)
  for (const name of ['second', 'third']) {
    await at.graph.create('toy', name, { size: 65536, backing: { filename: 'mid', format: 'toy' } })
  }
  return () => at.graph.close()
})

const named = (name: string, backing: string) =>
  new Map([
    ['driver', 'toy'],
    ['file.filename', name],
    ['node-name', name],
    ['backing', backing],
  ])

/** base, mid and top, each a node of its own; `more` overlays stand on mid beside top. */
async function open(...more: string[]): Promise<Record<'base' | 'mid' | 'top', BlockNode>> {
  const baseDisk = await at.graph.open(
    new Map([
      ['driver', 'toy'],
      ['file.filename', 'base'],
      ['node-name', 'base'],
    ]),
    { readOnly: true },
  )
  const midDisk = await at.graph.open(named('mid', 'base'), { readOnly: true })
  const topDisk = await at.graph.open(named('top', 'mid'), { readOnly: true })
  for (const name of more) {
    await at.graph.open(named(name, 'mid'), { readOnly: true })
  }
  const nodes = { base: baseDisk.root, mid: midDisk.root, top: topDisk.root }
  await midDisk.close()
  return nodes
}

/** What the file says, whoever has it open. */
function recorded(name: string): string | undefined {
  const bytes = at.files.get(name)!.bytes().subarray(0, 4096)
  const text = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)))
  return (JSON.parse(text) as { backing?: { filename: string; format?: string } }).backing?.filename
}

test('overlays stand on the base and record it; the images between are closed', async () => {
  const { base, mid, top } = await open('second')
  await at.graph.dropIntermediate(mid, base)
  const second = at.graph.node('second')!
  expect([top.backing, second.backing]).toEqual([base, base])
  expect([top.backingReference, recorded('top'), recorded('second')]).toEqual([
    { filename: 'base', format: 'toy' },
    'base',
    'base',
  ])
  expect([top.readOnly, second.readOnly, at.graph.node('mid')]).toEqual([true, true, undefined])
  expect([top.filename, second.filename]).toEqual(['top', 'second'])
})

test('a name of the caller’s, also through a filter, and users that are no overlays', async () => {
  const { base, mid } = await open()
  await at.graph.create('toy', 'filtered', { size: 65536, backing: { filename: 'mid', format: 'toy' } })
  const filter = await at.graph.open(filterOver(mid, { nodeName: 'filter' }), { readOnly: true })
  const overlay = await at.graph.open(named('filtered', 'filter'), { readOnly: true })
  const reader = await at.graph.backend(mid, {
    permissions: { taken: Permissions.consistentRead, shared: Permissions.all },
  })
  await at.graph.dropIntermediate(mid, base, { backingFile: './base' })
  expect([recorded('filtered'), recorded('top'), filter.root.children.get('file')]).toEqual(['./base', './base', base])
  expect([overlay.root.backing, reader.root]).toEqual([filter.root, base])
})

test('who is told to stay keeps the image open', async () => {
  const { base, mid, top } = await open()
  const permissions = { taken: 0, shared: Permissions.all }
  const job = await at.graph.backend(mid, { permissions, name: 'main node', description: "commit job 'c'" })
  await at.graph.dropIntermediate(mid, base, { stays: (name) => name === 'main node' })
  expect([job.root, top.backing, at.graph.node('mid')]).toEqual([mid, base, mid])
  await job.close()
})

test('an overlay that comes while another one is told is told, too', async () => {
  const store = brokenStore(at, 'top')
  const { base, mid } = await open()
  let opening: Promise<unknown> | undefined
  store.beforeWrite = () => {
    opening ??= at.graph.open(named('second', 'mid'), { readOnly: true })
  }
  await at.graph.dropIntermediate(mid, base)
  await opening
  expect([at.graph.node('second')!.backing, recorded('second'), recorded('top')]).toEqual([base, 'base', 'base'])
})

test('inline images: the base is reopened together with the overlay from now on', async () => {
  const disk = await at.graph.open('top', { readOnly: true })
  const mid = disk.root.backing!
  const base = mid.backing!
  expect(graphNode(base).inheritsFrom).toBe(mid)
  await at.graph.dropIntermediate(mid, base)
  expect([graphNode(base).inheritsFrom, disk.root.backing]).toEqual([disk.root, base])
  expect(at.graph.nodes).toHaveLength(4)
})

describe('a failure changes nothing', () => {
  /** Drops mid and gives the message, after making sure that nothing has changed. */
  async function refused(nodes: Record<'base' | 'mid' | 'top', BlockNode>, ...overlays: string[]): Promise<string> {
    const names = nodes.top.filename
    const message = await failure(at.graph.dropIntermediate(nodes.mid, nodes.base))
    for (const name of ['top', ...overlays]) {
      const node = at.graph.node(name)!
      expect([node.backing, node.readOnly, node.backingReference?.filename, recorded(name)]).toEqual([
        nodes.mid,
        true,
        'mid',
        'mid',
      ])
    }
    expect([nodes.top.filename, nodes.mid.backing]).toEqual([names, nodes.base])
    return message
  }

  test('a frozen link', async () => {
    const nodes = await open('second')
    const thaw = freezeBackingChain(nodes.top, nodes.mid)
    expect(await refused(nodes, 'second')).toBe("Cannot change 'backing' link to 'mid'")
    thaw()
  })

  test('a job that has not let go', async () => {
    const nodes = await open()
    const permissions = { taken: 0, shared: Permissions.all }
    const job = await at.graph.backend(nodes.mid, {
      permissions,
      name: 'source',
      description: "stream job 's'",
      isJob: true,
    })
    expect(await refused(nodes)).toBe("Should not change 'source' link to 'mid'")
    await job.close()
  })

  test('an overlay that cannot be made writable', async () => {
    at.files.set('readonly-top', at.files.get('top')!)
    const nodes = await open('second')
    const stuck = await at.graph.open(named('readonly-top', 'mid'), { readOnly: true })
    const text = 'Could not update backing file link: Permission denied'
    expect(await refused(nodes, 'second')).toBe(text)
    await stuck.close()
  })

  // The write fails for one overlay after the other; those before it get their old name back.
  test.each(['top', 'second', 'third'])('the write of %s', async (name) => {
    const store = brokenStore(at, name)
    const nodes = await open('second', 'third')
    store.broken = true
    expect(await refused(nodes, 'second', 'third')).toBe('Could not update backing file link: Input/output error')
    store.broken = false
  })

  test('permissions that the base cannot give', async () => {
    const nodes = await open('second')
    await reopenReadOnly(nodes.mid, false)
    const { consistentRead, write, all } = Permissions
    const writer = await at.graph.backend(nodes.mid, { permissions: { taken: consistentRead | write, shared: all } })
    expect(await refused(nodes, 'second')).toBe('Block node is read-only')
    await writer.close()
  })

  // What images record is written before anything moves, and meanwhile others may come, or take the chain apart.
  test('a job that comes while the new name is written', async () => {
    const store = brokenStore(at, 'top')
    const nodes = await open()
    const job = () =>
      at.graph.backend(nodes.mid, { permissions: { taken: 0, shared: Permissions.all }, name: 'source', isJob: true })
    let came: ReturnType<typeof job> | undefined
    store.beforeWrite = () => {
      came ??= job()
    }
    expect(await refused(nodes)).toBe("Should not change 'source' link to 'mid'")
    await came?.close()
  })

  test('a chain that ends above the base by then', async () => {
    const store = brokenStore(at, 'top')
    const nodes = await open()
    let cutting: Promise<void> | undefined
    store.beforeWrite = () => {
      cutting ??= at.graph.setBacking(nodes.mid, null)
    }
    const message = await failure(at.graph.dropIntermediate(nodes.mid, nodes.base))
    await cutting
    expect(message).toBe("Node 'base' is not in the backing chain of 'mid'")
    expect([nodes.top.backing, recorded('top')]).toEqual([nodes.mid, 'mid'])
  })

  test('and the way back fails, too: both are told, and the overlay names an image that has the same content', async () => {
    const store = brokenStore(at, 'second')
    const other = brokenStore(at, 'top')
    const nodes = await open('second')
    let writes = 0
    other.beforeWrite = () => {
      // The first write records the base, the next one would take it back.
      store.broken = true
      if (++writes > 1) throw BlockError.fromErrno('ENOSPC')
    }
    const error = await at.graph.dropIntermediate(nodes.mid, nodes.base).catch((reason: BlockError) => reason)
    expect(error).toMatchObject({ code: 'EIO', message: 'Could not update backing file link: Input/output error' })
    expect(((error as BlockError).cause as AggregateError).errors).toHaveLength(2)
    expect([nodes.top.backing, recorded('top'), recorded('second')]).toEqual([nodes.mid, 'base', 'mid'])
    other.beforeWrite = undefined
    store.broken = false
  })
})
