/** `-F` without `-b` or `-B`: the format of a backing file that the options may name. */

import { BlockError, type BlockGraph } from '@blocklayer/block-core'

/** @throws BlockError `EINVAL` where images of `format` record no format of a backing file */
export function requireBackingFormat(graph: BlockGraph, format: string): void {
  const driver = graph.drivers.find(({ formatName }) => formatName === format)
  // Why no such image can be made at all is said by who tries.
  if (driver?.create === undefined) return
  const rows = Object.values<{ readonly name: string }>(driver.create.options)
  if (rows.some(({ name }) => name === 'backing_fmt')) return
  throw new BlockError('EINVAL', `Backing file format not supported for file format '${format}'`)
}
