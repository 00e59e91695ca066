/** Opens a stream of bytes as a disk: raw, or an image of any format that is laid out in a readable order. */

import { type AnyDriver, BlockError, type BlockGraph, type DiskStream, type NodeSpec } from '@blocklayer/block-core'
import { type DataBound, diskStream } from './disk-stream.ts'
import type { ForwardBytes } from './forward-bytes.ts'
import { forwardNode } from './forward-driver.ts'
import { rawDiskStream } from './raw-stream.ts'

/** How a stream is opened. */
export interface OpenDiskStreamOptions {
  /** Has the driver of the format; closes the disk when it is closed. */
  readonly graph: BlockGraph
  /** Absent: what the first bytes say. */
  readonly format?: string | undefined
  /** Bytes of a raw stream, where somebody knows. */
  readonly length?: number | undefined
  /** By format: how much data an image can hold. Absent: only its length bounds it. */
  readonly dataBounds?: Readonly<Record<string, DataBound>>
}

/** Bytes that formats are recognised by. */
const probeBytes = 512
/** The qcow2 driver would take up to 32 MiB, for tables that a stream passes but once. */
const tableCacheBytes = 2 ** 20

/**
 * Opens `bytes` as a disk.
 *
 * @throws BlockError `ENOTSUP` for a format that the graph does not have; `ESPIPE` for an image whose tables lie behind
 *   more data than is kept; else what the format's driver says of the image
 */
export async function openDiskStream(bytes: ForwardBytes, options: OpenDiskStreamOptions): Promise<DiskStream> {
  const { graph, length } = options
  const format = options.format ?? probe(graph.drivers, await bytes.peek(probeBytes))
  if (format === 'raw') return rawDiskStream(bytes, length)
  const driver = graph.drivers.find(({ formatName, kind }) => formatName === format && kind === 'format')
  if (driver === undefined) throw new BlockError('ENOTSUP', `Unknown driver '${format}'`)
  bytes.hold()
  try {
    const disk = await graph.open(imageOn(driver, bytes), { readOnly: true })
    return diskStream(disk, { bytes, dataBound: options.dataBounds?.[format] })
  } catch (error) {
    throw bytes.release() ?? bytes.failure ?? error
  } finally {
    bytes.release()
  }
}

function imageOn(driver: AnyDriver, bytes: ForwardBytes): NodeSpec {
  const cache = Object.hasOwn(driver.options, 'l2CacheSize') ? { l2CacheSize: tableCacheBytes } : {}
  return { driver, options: { file: forwardNode(bytes), ...cache } }
}

/** The format that is surest of these first bytes; raw where none is. */
function probe(drivers: readonly AnyDriver[], head: Uint8Array): string {
  let [format, best] = ['raw', 0]
  for (const driver of drivers) {
    const score = driver.kind === 'format' ? (driver.probe?.(head, undefined) ?? 0) : 0
    if (score > best) [format, best] = [driver.formatName, score]
  }
  return format
}
