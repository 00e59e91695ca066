/** Proves that the images of a running job are kept from others, in the reference's words, and not for longer. */
import { blockOperations, requireUnblocked } from '@blocklayer/block-core'
import { expect, test } from 'vitest'
import { blockNodes } from '../src/block-nodes.ts'
import { commit } from '../src/index.ts'
import { openChain, threeImages } from './helpers/chain.ts'
import { messageOf } from './helpers/test-job.ts'

const busy = (name: string): string => `Node '${name}' is busy: block device is in use by block job: commit`

test('every operation is kept from every image, and given back', async () => {
  const chain = await openChain(threeImages)
  const [top, mid, base] = [chain.disk.root, chain.node('mid'), chain.node('base')]
  const end = blockNodes(top, mid, 'commit')
  const refused = (node: typeof top) =>
    blockOperations.filter((operation) => {
      try {
        requireUnblocked(node, operation)
        return false
      } catch (error) {
        return (error as Error).message === busy(node.nodeName)
      }
    })
  expect(refused(top)).toEqual(blockOperations.filter((operation) => operation !== 'dataplane'))
  expect(refused(mid)).toEqual([...blockOperations])
  expect(refused(base)).toEqual([])
  end()
  expect([...refused(top), ...refused(mid)]).toEqual([])
  await chain.graph.close()
})

test.each([
  ['the active layer', 'top', 'mid'],
  ['an image below', 'mid', 'base'],
])('a job that commits %s has its images for itself', async (_, from, to) => {
  const chain = await openChain(threeImages)
  const [top, base] = [chain.node(from), chain.node(to)]
  const first = commit(chain.graph, { top, base, autoComplete: false, autoFinalize: false })
  await first.started
  expect(await messageOf(async () => commit(chain.graph, { top, base }))).toBe(busy(from))
  expect(await messageOf(async () => commit(chain.graph, { top: chain.disk.root }))).toBe(
    busy(from === 'top' ? 'top' : 'mid'),
  )
  await first.cancelSync({ force: true })
  await commit(chain.graph, { top, base }).done
  await chain.graph.close()
})
