/** The `raw` driver: names, options and opening. */

import {
  type BlockDriver,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type HeaderClaims,
  type NodeSpec,
  nodeSpec,
  type OptionSchema,
} from '@blocklayer/block-core/driver'
import { createRaw, measureRaw, type RawCreateOptions, rawCreateOptions } from './create.ts'
import { RawLayer } from './raw-layer.ts'
import { checkWindow } from './window.ts'

/** Runtime options. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsRaw */
export interface RawOptions {
  readonly file?: ChildSpec
  /** Bytes of the file before the disk's first byte; need not be aligned. */
  readonly offset?: number | bigint
  /** Bytes, a multiple of 512; absent: to the end of the file. */
  readonly size?: number | bigint
}

const rawOptions: OptionSchema<RawOptions> = {
  file: { name: 'file', type: 'node', required: true, help: 'The file with the data' },
  offset: {
    name: 'offset',
    type: 'size',
    strong: true,
    mutable: true,
    help: 'offset in the disk where the image starts',
  },
  size: { name: 'size', type: 'size', strong: true, mutable: true, help: 'virtual disk size' },
}

/** The raw format, without any metadata. It fits every file, so it scores 1: the least that is not "no". */
export const rawDriver: BlockDriver<RawOptions, RawCreateOptions> = defineDriver<RawOptions, RawCreateOptions>({
  formatName: 'raw',
  kind: 'format',
  options: rawOptions,
  probe: () => 1,
  claims: rawClaims,
  create: { options: rawCreateOptions, run: createRaw, measure: measureRaw },
  async open(context, options) {
    const isWindow = options.offset !== undefined || options.size !== undefined
    const role = ChildRoles.primary | (isWindow ? ChildRoles.data : ChildRoles.filtered)
    const file = await context.attach('file', role, options.file)
    const window = checkWindow(options, file.length)
    return new RawLayer(file, { window, isWindow, probed: context.flags.probed })
  },
})

/** A raw image is its file: it says nothing, and so claims nothing but to be as long as that. */
function rawClaims(_head: Uint8Array, fileBytes: number): HeaderClaims {
  const nothing = { names: [], tables: [], snapshots: 0, unknownFeatures: [], problems: [], memory: 0n }
  return { virtualSize: BigInt(fileBytes), ...nothing }
}

/** Describes a raw node over `file`. */
export function raw(options: RawOptions): NodeSpec<RawOptions> {
  return nodeSpec(rawDriver, options)
}
