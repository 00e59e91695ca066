/** The `slab` driver: names, options, probing, creating and opening. */

import {
  type BlockDriver,
  BlockError,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type NodeSpec,
  nodeSpec,
  type OptionSchema,
} from '@blocklayer/block-core/driver'
import { ClusterTable } from './cluster-table.ts'
import { createSlab, type SlabCreateOptions, slabCreateOptions } from './create.ts'
import { decodeHeader, entryBytes, hasSlabMagic, headerBytes } from './format.ts'
import { SlabLayer } from './slab-layer.ts'

/** Options of a `slab` node. */
export interface SlabOptions {
  /** The file that holds the image. */
  readonly file?: ChildSpec
  /** Whether clusters that were given up are used again; default true. `false` only ever lets the file grow. */
  readonly reuse?: boolean
}

const slabOptions: OptionSchema<SlabOptions> = {
  file: { name: 'file', type: 'node', required: true, help: 'the file that holds the image' },
  reuse: { name: 'reuse', type: 'bool', help: 'use clusters again that were given up (default: on)' },
}

/** Slab disk images. */
export const slabDriver: BlockDriver<SlabOptions, SlabCreateOptions> = defineDriver<SlabOptions, SlabCreateOptions>({
  formatName: 'slab',
  kind: 'format',
  options: slabOptions,
  probe: (head) => (hasSlabMagic(head) ? 100 : 0),
  create: { options: slabCreateOptions, run: createSlab },
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.image, options.file)
    const head = new Uint8Array(headerBytes)
    await file.read(0, head)
    const header = decodeHeader(head)
    const stored = new Uint8Array(header.capacity * entryBytes)
    // The file's length bounds the memory that a forged header can ask for.
    if (headerBytes + stored.length > file.length) throw new BlockError('EINVAL', 'The slab table is cut off')
    await file.read(headerBytes, stored)
    const table = new ClusterTable(header, stored)
    const { shared, beyond } = table.count(file.length)
    // Writing to such an image could destroy more; a check may look at it all the same.
    if (shared + beyond > 0 && !context.flags.check && !context.readOnly) {
      throw new BlockError('EINVAL', 'The slab table is damaged; the image can only be opened read-only')
    }
    if (options.reuse === false) table.appendOnly()
    return new SlabLayer(file, header, table)
  },
})

/** Describes a slab node in code. */
export function slab(options: SlabOptions): NodeSpec<SlabOptions> {
  return nodeSpec(slabDriver, options)
}
