/** The `blkverify` driver: names, options and opening. */

import {
  type BlockDriver,
  BlockError,
  type Child,
  type ChildSpec,
  ChildRoles,
  defineDriver,
  type NodeSpec,
  nodeSpec,
  type OpenContext,
} from '@blocklayer/block-core/driver'
import { BlkverifyLayer } from './blkverify-layer.ts'
import { type BlkverifyOptions, blkverifyOptions, parseBlkverifyName } from './options.ts'

/** A filter that compares an image with a raw copy at every request. */
export const blkverifyDriver: BlockDriver<BlkverifyOptions, never> = defineDriver<BlkverifyOptions>({
  formatName: 'blkverify',
  protocolName: 'blkverify',
  kind: 'filter',
  options: blkverifyOptions,
  parseFilename: parseBlkverifyName,
  async open(context, options) {
    const { filtered, primary, data } = ChildRoles
    const raw = await attach(context, { name: 'raw', role: filtered | primary, spec: options.raw, named: options.xRaw })
    const test = await attach(context, { name: 'test', role: data, spec: options.test, named: options.xImage })
    return new BlkverifyLayer({ raw, test, report: (line) => context.report(line) })
  },
})

/** Describes a node that shows `options.test`, checked against `options.raw`. */
export function blkverify(options: BlkverifyOptions): NodeSpec<BlkverifyOptions> {
  return nodeSpec(blkverifyDriver, options)
}

interface WantedChild {
  readonly name: string
  readonly role: number
  readonly spec: ChildSpec | undefined
  /** A file name in place of a description. */
  readonly named: string | undefined
}

function attach(context: OpenContext, { name, role, spec, named }: WantedChild): Promise<Child> {
  if (named === undefined) return context.attach(name, role, spec)
  if (spec === undefined) return context.attachNamed(name, role, named)
  return Promise.reject(new BlockError('EINVAL', "Can't specify 'file' and 'filename' options at the same time"))
}
