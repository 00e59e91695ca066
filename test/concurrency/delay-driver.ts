/** A filter that holds every request up for a random while, before it and after it: requests overtake each other. */
import {
  type BlockDriver,
  type BlockLayer,
  type Child,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type NodeSpec,
  nodeSpec,
  type WriteSupport,
} from '@blocklayer/block-core/driver'
import type { Random } from '@blocklayer/block-core/testing'

/** Options of the filter, only to be given in code. */
export interface DelayOptions {
  readonly file?: ChildSpec
  readonly choose: Random
  /** Every request of the core must be a multiple. Default 1. */
  readonly align?: number
}

/** The driver; describe nodes with `delay(…)`. */
export const delayDriver: BlockDriver<DelayOptions> = defineDriver<DelayOptions>({
  formatName: 'delay',
  kind: 'filter',
  options: {
    file: { name: 'file', type: 'node', help: 'what is shown' },
    choose: { name: 'choose', type: 'string', required: true, help: 'source of the delays (only in code)' },
    align: { name: 'align', type: 'size', help: 'every request is a multiple' },
  },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
    return delayLayer(file, options)
  },
})

/** Describes a node that holds the requests to `file` up. */
export function delay(file: NodeSpec, options: Omit<DelayOptions, 'file'>): NodeSpec<DelayOptions> {
  return nodeSpec(delayDriver, { ...options, file })
}

/** Turns of the microtask queue, sometimes of the event loop: no clock, so that a seed brings the order back. */
async function pause(choose: Random): Promise<void> {
  if (choose.chance(0.25)) {
    for (let turns = 1 + choose.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
  } else for (let turns = choose.below(12); turns > 0; turns--) await Promise.resolve()
}

function delayLayer(file: Child, { choose, align }: DelayOptions): BlockLayer {
  const held = async (request: () => Promise<void>): Promise<void> => {
    await pause(choose)
    await request()
    await pause(choose)
  }
  const writer: WriteSupport = {
    supportsFua: true,
    zeroFlags: { mayUnmap: true, noFallback: true },
    write: (offset, data, flags) => held(() => file.write(offset, data, flags)),
    writeZeroes: (offset, bytes, flags) => held(() => file.writeZeroes(offset, bytes, flags)),
    discard: (offset, bytes) => held(() => file.discard(offset, bytes)),
    truncate: (length, options) => held(() => file.truncate(length, options)),
    truncateFlags: { zeroNewArea: true },
  }
  return {
    get length() {
      return file.length
    },
    limits: { requestAlignment: align ?? 1 },
    read: (offset, into) => held(() => file.read(offset, into)),
    flushToOs: () => pause(choose),
    writer,
    hasZeroInit: () => file.hasZeroInit(),
    reopen: async () => {},
    close: async () => {},
  }
}
