/** The `blklogwrites` driver: names, options and opening. */

import {
  type BlockDriver,
  BlockError,
  type Child,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type NodeSpec,
  nodeSpec,
  type OptionSchema,
} from '@blocklayer/block-core/driver'
import { BlklogwritesLayer } from './blklogwrites-layer.ts'
import { checkSectorSize, payloadSectors } from './format.ts'
import { LogWriter, type LogWriterSetting } from './log-writer.ts'
import { loadSuperblock, walkLog } from './walk-log.ts'

/** Runtime options. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsBlklogwrites */
export interface BlklogwritesOptions {
  readonly file?: ChildSpec
  /** Where the log is written. */
  readonly log?: ChildSpec
  /** Go on after the entries that are in the log already, in its own sector size. Default false. */
  readonly logAppend?: boolean
  /** Bytes, a power of two from 32 to 8 MiB; requests to the disk are multiples. Default 512. */
  readonly logSectorSize?: number | bigint
  /** The log's superblock is rewritten after every so many entries, and after every flush. Default 4096. */
  readonly logSuperUpdateInterval?: number | bigint
}

const blklogwritesOptions: OptionSchema<BlklogwritesOptions> = {
  file: { name: 'file', type: 'node', required: true, help: 'The disk whose writes are logged' },
  log: { name: 'log', type: 'node', required: true, help: 'Where the log is written' },
  logAppend: { name: 'log-append', type: 'bool', strong: true, help: 'Append to an existing log' },
  logSectorSize: { name: 'log-sector-size', type: 'size', strong: true, help: 'Log sector size' },
  logSuperUpdateInterval: {
    name: 'log-super-update-interval',
    type: 'number',
    help: 'Log superblock update interval (# of write requests)',
  },
}

/** A filter that keeps a journal of all writes, in the format of the device-mapper's log-writes target. */
export const blklogwritesDriver: BlockDriver<BlklogwritesOptions, never> = defineDriver<BlklogwritesOptions>({
  formatName: 'blklogwrites',
  kind: 'filter',
  options: blklogwritesOptions,
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.filtered | ChildRoles.primary, options.file)
    const log = await context.attach('log', ChildRoles.metadata, options.log)
    return new BlklogwritesLayer(file, new LogWriter(log, await logSetting(log, options)))
  },
})

/** Describes a node that shows `options.file` and logs its writes to `options.log`. */
export function blklogwrites(options: BlklogwritesOptions): NodeSpec<BlklogwritesOptions> {
  return nodeSpec(blklogwritesDriver, options)
}

async function logSetting(log: Child, options: BlklogwritesOptions): Promise<LogWriterSetting> {
  if (options.logAppend === true && options.logSectorSize !== undefined) {
    throw new BlockError('EINVAL', 'log-append and log-sector-size are mutually exclusive')
  }
  const start =
    options.logAppend === true && log.length > 0 ? await endOfLog(log) : startOfLog(options.logSectorSize ?? 512)
  const updateInterval = Number(options.logSuperUpdateInterval ?? 4096)
  if (updateInterval === 0) throw new BlockError('EINVAL', 'Invalid log superblock update interval 0')
  return { ...start, updateInterval }
}

type LogStart = Pick<LogWriterSetting, 'sectorSize' | 'position'>

function startOfLog(size: number | bigint): LogStart {
  const sectorSize = checkSectorSize(size)
  return { sectorSize, position: { offset: sectorSize, entryCount: 0 } }
}

async function endOfLog(log: Child): Promise<LogStart> {
  const superblock = await loadSuperblock(log)
  const { sectorSize } = superblock
  let position = { offset: sectorSize, entryCount: 0 }
  for await (const { header, index, offset } of walkLog(log, superblock)) {
    position = { offset: offset + (1 + payloadSectors(header)) * sectorSize, entryCount: index + 1 }
  }
  return { sectorSize, position }
}
