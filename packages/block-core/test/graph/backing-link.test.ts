// A driver is told of its new backing file when the change holds, not before, and not where its own link just moves.
import { expect, test } from 'vitest'
import { setBackingIn } from '../../src/graph/backing-link.ts'
import { GraphTransaction } from '../../src/graph/transaction.ts'
import { graphNode } from '../../src/node/graph-node.ts'
import { world } from '../helpers/world.ts'

test('told after the change, of a first one and of none', async () => {
  const one = world()
  await using graph = one.graph
  for (const name of ['a', 'b', 'c']) await graph.create('toy', name, { size: 4096 })
  const open = async (name: string) =>
    graphNode(
      await graph.addNode(
        new Map(
          Object.entries({
            driver: 'toy',
            'node-name': name,
            'file.driver': 'file',
            'file.filename': name,
            'read-only': name !== 'a',
          }),
        ),
      ),
    )
  const [overlay, first, second] = [await open('a'), await open('b'), await open('c')]
  const told: (string | undefined)[] = []
  const { layer } = overlay
  overlay.setLayer({
    ...layer,
    get length() {
      return layer.length
    },
    backingChanged: (child) => {
      told.push(child?.node.nodeName)
    },
  })
  const change = (backing: typeof first | undefined) => {
    const transaction = new GraphTransaction()
    const tell = setBackingIn(transaction, overlay, backing)
    expect([overlay.backing, told.splice(0)]).toEqual([backing, []])
    return { transaction, tell }
  }
  const given = change(first)
  given.transaction.rollback()
  expect(overlay.backing).toBeUndefined()
  change(first).tell()
  expect(told.splice(0)).toEqual(['b'])
  change(second).tell()
  expect(told).toEqual([])
  change(undefined).tell()
  expect(told).toEqual([undefined])
  // A reopening tells it late: by then the driver may have given its image up, and the change holds all the same.
  told.length = 0
  const { tell } = change(first)
  overlay.eject()
  tell()
  expect([overlay.backing, told]).toEqual([first, []])
})
