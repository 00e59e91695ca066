/** Builds one graph in ours or in the reference, and gives its edges as text: who uses whom, and with which permissions. */
import {
  type AnyDriver,
  BlockError,
  createBlockGraph,
  graphDescription,
  type GraphDescription,
  parseJsonFilename,
  Permissions,
} from '@blocklayer/block-core'
import { StorageDaemon } from '../descriptions/daemon.ts'
import type { Step } from './graphs.ts'

const { consistentRead, write, resize, all } = Permissions

/** The edges after all steps, or the words in which the last one is refused and the edges before it. */
export async function theirs(folder: string, steps: readonly Step[]): Promise<string[]> {
  await using daemon = await StorageDaemon.start(folder, [])
  const server = { addr: { type: 'unix', data: { path: `${folder}/nbd` } } }
  await daemon.ask('nbd-server-start', server)
  let exports = 0
  const run = async (step: Step): Promise<void> => {
    if ('node' in step) await daemon.ask('blockdev-add', step.node)
    else {
      const id = `export${exports++}`
      const what = { type: 'nbd', id, name: id, 'node-name': step.use, writable: step.writable === true }
      await daemon.ask('block-export-add', what)
    }
  }
  const drawing = async (): Promise<GraphDescription> =>
    (await daemon.ask('x-debug-query-block-graph')) as GraphDescription
  return await runAll(steps, run, drawing)
}

/** As `theirs`; an NBD export reads, may write, and lets others do all but resize. */
export async function ours(drivers: readonly AnyDriver[], steps: readonly Step[]): Promise<string[]> {
  await using graph = createBlockGraph({ drivers, implicitOpen: 'allow' })
  const run = async (step: Step): Promise<void> => {
    if ('node' in step) {
      await graph.addNode(parseJsonFilename(`json:${JSON.stringify(step.node)}`))
    } else {
      const taken = consistentRead | (step.writable === true ? write : 0)
      const used = graph.lookup(step.use)
      // The reference takes first, and stops sharing when it has all: a conflict is told in that order.
      await graph.backend(used, { permissions: { taken, shared: all } }).close()
      graph.backend(used, { permissions: { taken, shared: all & ~resize } })
    }
  }
  return await runAll(steps, run, async () => graphDescription(graph))
}

async function runAll(
  steps: readonly Step[],
  run: (step: Step) => Promise<void>,
  drawing: () => Promise<GraphDescription>,
): Promise<string[]> {
  for (const step of steps) {
    try {
      await run(step)
    } catch (error) {
      if (!(error instanceof BlockError) && step !== steps.at(-1)) throw error
      // What is refused changes nothing.
      return [(error as Error).message, ...edgesOf(await drawing())]
    }
  }
  return edgesOf(await drawing())
}

/** Edges in an order of our own: `t file tf: write / consistent-read`. */
export function edgesOf({ nodes, edges }: GraphDescription): string[] {
  const names = new Map(nodes.map(({ id, name }) => [id, name]))
  const nameOf = (id: number) => (names.get(id) || 'user').replace(/^#block\d+/, '#')
  const letters = (set: readonly string[]) =>
    ['consistent-read', 'write', 'write-unchanged', 'resize']
      .map((permission, index) => (set.includes(permission) ? 'rwus'[index] : '-'))
      .join('')
  return edges
    .map(
      (edge) =>
        `${nameOf(edge.parent)} -${edge.name}-> ${nameOf(edge.child)} ${letters(edge.perm)} ${letters(edge['shared-perm'])}`,
    )
    .sort()
}
