/** The `quorum` driver: names, options and opening. */

import {
  type BlockDriver,
  BlockError,
  type BlockNode,
  type Child,
  ChildRoles,
  defineDriver,
  type NodeSpec,
  nodeSpec,
  type OpenContext,
} from '@blocklayer/block-core/driver'
import type { QuorumEvent } from './events.ts'
import { checkQuorumOptions, type QuorumOptions, quorumOptions } from './options.ts'
import { QuorumLayer } from './quorum-layer.ts'

/** What a program decides about all its quorums. */
export interface QuorumDriverSettings {
  /** Hears of copies that went wrong, and of votes that nobody won. Default: nobody listens. */
  readonly onEvent?: (event: QuorumEvent) => void
}

/** A driver that keeps several copies of one disk and believes the majority. */
export function createQuorumDriver(settings: QuorumDriverSettings = {}): BlockDriver<QuorumOptions, never> {
  const onEvent = settings.onEvent ?? (() => {})
  return defineDriver<QuorumOptions>({
    formatName: 'quorum',
    // Not a filter: no single child shows what it shows.
    kind: 'format',
    childrenAreImages: true,
    options: quorumOptions,
    async open(context, options) {
      const setting = checkQuorumOptions(options)
      const children = await attachChildren(context, options)
      const report = (line: string) => context.report(line)
      const attach = (name: string, node: BlockNode) => context.attach(name, ChildRoles.data, node)
      return new QuorumLayer({ children, attach, setting, nodeName: context.nodeName, onEvent, report })
    },
  })
}

/** The driver without a listener. */
export const quorumDriver: BlockDriver<QuorumOptions, never> = createQuorumDriver()

/**
 * Describes a quorum.
 *
 * @param driver - one with a listener, from `createQuorumDriver`
 */
export function quorum(
  options: QuorumOptions,
  driver: BlockDriver<QuorumOptions, never> = quorumDriver,
): NodeSpec<QuorumOptions> {
  return nodeSpec(driver, options)
}

async function attachChildren(context: OpenContext, options: QuorumOptions): Promise<readonly Child[]> {
  const children: Child[] = []
  for (const [index, spec] of (options.children ?? []).entries()) {
    children.push(await context.attach(`children.${index}`, ChildRoles.data, spec))
  }
  const [first] = children
  if (children.some((child) => child.length !== first?.length)) {
    throw BlockError.withErrno('EIO', 'Could not refresh total sector count')
  }
  return children
}
