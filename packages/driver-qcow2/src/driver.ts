/** The `qcow2` driver: names, options, probing, creating and opening. */

import { type BlockDriver, defineDriver, type NodeSpec, nodeSpec } from '@blocklayer/block-core/driver'
import { qcow2AmendSchema } from './features/amend/options.ts'
import { qcow2Create } from './features/create/create.ts'
import type { Qcow2CreateOptions } from './features/create/options.ts'
import { headerClaims } from './features/header-claims.ts'
import { viewOf } from './format/bytes.ts'
import { headerBytesKnown, qcow2Magic } from './format/constants.ts'
import { openImage } from './open/open-image.ts'
import { type Qcow2Options, qcow2OptionSchema } from './open/options.ts'
import { Qcow2Layer } from './qcow2-layer.ts'

/** The qcow2 format, versions 2 and 3. */
export const qcow2Driver: BlockDriver<Qcow2Options, Qcow2CreateOptions> = defineDriver<
  Qcow2Options,
  Qcow2CreateOptions
>({
  formatName: 'qcow2',
  kind: 'format',
  supportsBacking: true,
  supportsCompression: true,
  options: qcow2OptionSchema,
  probe: probeQcow2,
  claims: headerClaims,
  create: qcow2Create,
  amendOptions: qcow2AmendSchema,
  async open(context, options) {
    return new Qcow2Layer(await openImage(context, options))
  },
})

/** 100 for the magic and a version from 2 on; version 1 is another format, "qcow". */
function probeQcow2(head: Uint8Array): number {
  if (head.length < headerBytesKnown) return 0
  const view = viewOf(head)
  return view.getUint32(0) === qcow2Magic && view.getUint32(4) >= 2 ? 100 : 0
}

/** What `qcow2` describes: the image file, runtime options, and another backing file than the image names. */
export interface Qcow2NodeOptions extends Qcow2Options {
  /** `null`: none, whatever the image says. Absent: the one that the image names, if the graph may open it. */
  readonly backing?: NodeSpec | null
}

/**
 * Describes a qcow2 node.
 *
 * @example
 * const disk = await graph.open(qcow2({ file: file('disk.qcow2'), backing: null }), { readOnly: true })
 */
export function qcow2(
  { backing, ...options }: Qcow2NodeOptions,
  extra: Omit<NodeSpec, 'driver' | 'options' | 'backing'> = {},
): NodeSpec<Qcow2Options> {
  return nodeSpec(qcow2Driver, options, backing === undefined ? extra : { ...extra, backing })
}
