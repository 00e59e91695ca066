/** A stream as the lowest node of a graph: formats open on it as they do on a file. */

import { defineDriver, nodeSpec } from '@blocklayer/block-core/driver'
import type { BlockDriver, NodeSpec } from '@blocklayer/block-core/driver'
import type { ForwardBytes } from './forward-bytes.ts'

/** What a node reads. */
interface ForwardNodeOptions {
  readonly bytes: ForwardBytes
}

/** Nobody knows how long a stream is before its end. */
const lengthMax = 2 ** 52

const forwardDriver: BlockDriver<ForwardNodeOptions> = defineDriver<ForwardNodeOptions>({
  formatName: 'stream',
  kind: 'protocol',
  // Made in code only: no text can name a stream.
  options: {} as never,
  open: async (_context, { bytes }) => ({
    length: lengthMax,
    read: (offset, into) => bytes.read(offset, into),
    // A stream lies nowhere: what an image in it names counts from where the program stands.
    dirname: () => './',
    close: () => bytes.close(),
  }),
})

/** Describes a node that reads `bytes`. */
export function forwardNode(bytes: ForwardBytes): NodeSpec<ForwardNodeOptions> {
  return nodeSpec(forwardDriver, { bytes })
}
