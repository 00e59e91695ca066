/** What `-o help` prints. */

import { type AnyDriver, formatOptionHelp, type OptionSchema, protocolPrefix } from '@blocklayer/block-core'
import { Failure } from '../failure.ts'

/**
 * The options of a new image: of the format alone, or with those of the target's protocol where a target is known.
 *
 * @throws Failure for a format or protocol that does not exist or cannot create
 * @see QEMU 7.2 qemu-img.c: print_block_option_help
 */
export function creationHelp(drivers: readonly AnyDriver[], format: string, filename: string | undefined): string {
  const own = creationOptions(drivers, format)
  if (filename === undefined) {
    return (
      `Supported ${format} options:\n${text(format === 'raw' ? sizeOnly(own) : own)}\n` +
      'The protocol level may support further options.\n' +
      'Specify the target filename to include those options.\n'
    )
  }
  const beneath = protocolOptions(drivers, filename)
  // Where both layers have an option of one name, it is the format's.
  return `Supported options:\n${text({ ...byName(beneath), ...byName(own) })}`
}

/**
 * Options that an image of the format can be amended with.
 *
 * @throws Failure for a format that does not exist or cannot be amended
 * @see QEMU 7.2 qemu-img.c: print_amend_option_help
 */
export function amendmentHelp(drivers: readonly AnyDriver[], format: string): string {
  return `Amend options for '${format}':\n${text(amendmentOptions(drivers, format))}`
}

/** Options that an image of the format can be amended with. @throws Failure as {@link amendmentHelp} */
export function amendmentOptions(drivers: readonly AnyDriver[], format: string): OptionSchema<unknown> {
  const driver = drivers.find(({ formatName }) => formatName === format)
  if (driver === undefined) throw new Failure(`Unknown file format '${format}'`)
  if (driver.amendOptions === undefined) {
    throw new Failure(`Format driver '${format}' does not support option amendment`)
  }
  return driver.amendOptions
}

/** Options of a new image of the format. @throws Failure for one that does not exist or cannot create */
export function creationOptions(drivers: readonly AnyDriver[], format: string): OptionSchema<unknown> {
  const driver = drivers.find(({ formatName }) => formatName === format)
  if (driver === undefined) throw new Failure(`Unknown file format '${format}'`)
  if (driver.create === undefined) throw new Failure(`Format driver '${format}' does not support image creation`)
  return driver.create.options
}

function protocolOptions(drivers: readonly AnyDriver[], filename: string): OptionSchema<unknown> {
  const prefix = protocolPrefix(filename) ?? 'file'
  const protocol = drivers.find(({ protocolName }) => protocolName === prefix)
  if (protocol === undefined) throw new Failure(`Unknown protocol '${prefix}'`)
  if (protocol.create === undefined) {
    throw new Failure(`Protocol driver '${protocol.formatName}' does not support image creation`)
  }
  return protocol.create.options
}

/** What raw has besides, it only hands on: whether the file takes it is known when there is a file name. */
function sizeOnly(options: OptionSchema<unknown>): OptionSchema<unknown> {
  const { size } = byName(options)
  return size === undefined ? {} : { size }
}

function text(options: OptionSchema<unknown>): string {
  return formatOptionHelp(options)
    .map((line) => `${line}\n`)
    .join('')
}

function byName(options: OptionSchema<unknown>): OptionSchema<Record<string, unknown>> {
  const rows = Object.values<OptionSchema<Record<string, unknown>>[string]>(options)
  return Object.fromEntries(rows.map((row) => [row.name, row]))
}
