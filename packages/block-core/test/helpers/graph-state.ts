/** All that a change of the graph may change, as text: nodes, edges in their order, permissions, modes. */
import type { BlockGraph } from '../../src/index.ts'
import { graphNode } from '../../src/node/graph-node.ts'

export function graphState(graph: BlockGraph): string[] {
  return graph.nodes.flatMap((view) => {
    const node = graphNode(view)
    const edges = [...node.edges.values()].map((edge) => {
      const { taken, shared } = edge.permissions
      return `  ${edge.name} -> ${edge.node.nodeName} ${taken}/${shared}${edge.frozen ? ' frozen' : ''}`
    })
    const users = [...node.parents]
      .filter((edge) => edge.parent.node === undefined)
      .map((edge) => `  <- ${edge.parent.description} ${edge.permissions.taken}/${edge.permissions.shared}`)
    const held = `${node.appliedPermissions?.taken}/${node.appliedPermissions?.shared}`
    const flags = `${node.readOnly ? 'ro' : 'rw'} ${node.detectZeroes} unmap=${node.flags.unmap} drains=${node.drains.size}`
    return [
      `${node.nodeName} ${node.driverName} ${flags} holds ${held} from ${node.inheritsFrom?.nodeName}`,
      ...edges,
      ...users,
    ]
  })
}
