/** Proves the commit job as its users see it: what ends up where, and who uses what afterwards. */
import { expect, test } from 'vitest'
import { commit, type JobEvent } from '../src/index.ts'
import { contentOf, firstDifference, openChain, reread, threeImages } from './helpers/chain.ts'

test('a commit into the bottom brings everything down and moves the users', async () => {
  const chain = await openChain(threeImages)
  const before = await contentOf(chain.disk)
  const events: JobEvent[] = []
  const job = commit(chain.graph, { top: chain.disk.root, onEvent: (event) => events.push(event) })
  await job.done
  expect(chain.disk.root.nodeName).toBe('base')
  expect(firstDifference(await contentOf(chain.disk), before)).toBeUndefined()
  expect(chain.graph.nodes.map((node) => node.nodeName)).not.toContain('top')
  await chain.graph.close()
  expect(firstDifference(await reread(chain, 'base'), before)).toBeUndefined()
})
