/** The two null drivers: names, options and opening. */

import { type BlockDriver, defineDriver, type NodeSpec, nodeSpec } from '@blocklayer/block-core/driver'
import { NullLayer } from './null-layer.ts'
import { checkNullOptions, type NullOptions, nullOptions, parseNullName } from './options.ts'

function makeDriver(protocol: string, fromEventLoop: boolean): BlockDriver<NullOptions, never> {
  return defineDriver<NullOptions>({
    formatName: protocol,
    protocolName: protocol,
    kind: 'protocol',
    options: nullOptions,
    parseFilename: (filename) => parseNullName(protocol, filename),
    open: async (_context, options) => new NullLayer({ ...checkNullOptions(options), protocol, fromEventLoop }),
  })
}

/** Requests complete at once, after the latency where one is set. */
export const nullCoDriver: BlockDriver<NullOptions, never> = makeDriver('null-co', false)

/** Requests complete from the event loop, as those of a device do. */
export const nullAioDriver: BlockDriver<NullOptions, never> = makeDriver('null-aio', true)

/** Describes a `null-co` node. */
export function nullCo(options: NullOptions = {}): NodeSpec<NullOptions> {
  return nodeSpec(nullCoDriver, options)
}

/** Describes a `null-aio` node. */
export function nullAio(options: NullOptions = {}): NodeSpec<NullOptions> {
  return nodeSpec(nullAioDriver, options)
}
