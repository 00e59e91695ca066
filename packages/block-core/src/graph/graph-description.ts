/** A graph as a drawing would show it: who uses whom, under which name and with which permissions. */

import type { BlockNode } from '../driver/node-view.ts'
import { type EdgeParent, type GraphNode, graphNode, type NodeEdge } from '../node/graph-node.ts'
import { permissionNames } from '../node/permissions.ts'

/** A node of the drawing; ids count from 1 and mean nothing outside it. */
export interface DescribedNode {
  readonly id: number
  readonly type: 'block-backend' | 'block-job' | 'block-driver'
  /** Node name, device or job id; empty for a user without a name. */
  readonly name: string
}

/** An edge of the drawing. */
export interface DescribedEdge {
  readonly parent: number
  readonly child: number
  /** Child name: `file`, `backing`, `root` … */
  readonly name: string
  readonly perm: readonly string[]
  readonly 'shared-perm': readonly string[]
}

/** Plain data under the reference's names. @see QEMU 7.2 qapi/block-core.json: XDbgBlockGraph */
export interface GraphDescription {
  readonly nodes: readonly DescribedNode[]
  readonly edges: readonly DescribedEdge[]
}

/** Describes all nodes of a graph and all that uses them: users first, then nodes, the youngest first. */
export function graphDescription(graph: { readonly nodes: readonly BlockNode[] }): GraphDescription {
  const nodes = graph.nodes.map(graphNode)
  const ids = new Map<EdgeParent | GraphNode, number>()
  const described: DescribedNode[] = []
  const add = (key: EdgeParent | GraphNode, type: DescribedNode['type'], name: string): void => {
    if (ids.has(key)) return
    ids.set(key, ids.size + 1)
    described.push({ id: ids.size, type, name })
  }
  const edges = [...usersOf(nodes), ...nodes.flatMap((node) => [...node.edges.values()])]
  for (const { parent } of edges) {
    if (parent.node === undefined) add(parent, parent.isJob === true ? 'block-job' : 'block-backend', nameOf(parent))
  }
  for (const node of nodes) add(node, 'block-driver', node.nodeName)
  return {
    nodes: described,
    edges: edges.map((edge) => ({
      parent: ids.get(edge.parent.node ?? edge.parent) ?? 0,
      child: ids.get(edge.node) ?? 0,
      name: edge.name,
      perm: namesOf(edge.permissions.taken),
      'shared-perm': namesOf(edge.permissions.shared),
    })),
  }
}

/** Edges of backends and jobs. */
function usersOf(nodes: readonly GraphNode[]): NodeEdge[] {
  return nodes.flatMap((node) => [...node.parents].filter(({ parent }) => parent.node === undefined))
}

/** Users are known by how messages name them: `block device 'x'`, `commit job 'y'`. */
function nameOf({ description }: EdgeParent): string {
  return /'(.*)'$/.exec(description)?.[1] ?? ''
}

/** As the reference's protocol spells permissions. */
function namesOf(permissions: number): string[] {
  const names = permissionNames(permissions)
  return names === '' ? [] : names.replaceAll(', ', ',').replaceAll(' ', '-').split(',')
}
