// A graph as a drawing: users, jobs and nodes, and the permissions on the edges.
import { expect, test } from 'vitest'
import { graphDescription } from '../../src/graph/graph-description.ts'
import { Permissions } from '../../src/node/permissions.ts'
import { chain, world } from '../helpers/world.ts'

test('users, jobs, nodes and edges', async () => {
  await using at = world().graph
  const images = world()
  await chain(images)
  expect(graphDescription(at)).toEqual({ nodes: [], edges: [] })
  const disk = await images.graph.open('mid', { readOnly: true, nodeName: 'm' })
  const permissions = { taken: 0, shared: Permissions.write | Permissions.writeUnchanged | Permissions.consistentRead }
  const job = images.graph.backend(disk.root, {
    permissions,
    name: 'source',
    description: "commit job 'j'",
    isJob: true,
  })
  const { nodes, edges } = graphDescription(images.graph)
  const name = new Map(nodes.map((node) => [node.id, `${node.type} ${node.name.replace(/#block\d+/, '#')}`]))
  expect([...name.values()]).toEqual([
    'block-backend ',
    'block-job j',
    'block-driver #',
    'block-driver #',
    'block-driver m',
    'block-driver #',
  ])
  expect(edges.map((edge) => [edge.name, name.get(edge.parent), name.get(edge.child)])).toEqual([
    ['root', 'block-backend ', 'block-driver m'],
    ['source', 'block-job j', 'block-driver m'],
    ['file', 'block-driver #', 'block-driver #'],
    ['file', 'block-driver m', 'block-driver #'],
    ['backing', 'block-driver m', 'block-driver #'],
  ])
  expect(edges[1]).toMatchObject({ perm: [], 'shared-perm': ['consistent-read', 'write', 'write-unchanged'] })
  expect(edges[0]).toMatchObject({ perm: ['consistent-read'] })
  await job.close()
  await images.graph.close()
})
