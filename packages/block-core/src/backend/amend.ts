/** Changing the options of an image that exists: parsed and checked here, made by its driver. */

import type { AnyDriver } from '../driver/block-driver.ts'
import { BlockError } from '../errors.ts'
import { drained } from '../graph/drain.ts'
import { flushNode } from '../io/flush.ts'
import { truncateNode } from '../io/truncate.ts'
import type { GraphNode } from '../node/graph-node.ts'
import type { FlatOptions, OptionSchema } from '../options/schema.ts'
import { checkOptionEntries, parseTypedOptions, scalarText } from '../options/typed.ts'
import { type BlockBackend, nodeOf } from './block-backend.ts'
import type { JobOptions } from './job-options.ts'

/** How an image is amended. */
export interface AmendImageOptions extends JobOptions {
  /** Allow changes that may destroy something (`--force`). */
  readonly force?: boolean
}

/** Options by name, as text or values: `{ compat: '1.1', refcount_bits: 64 }`. */
export type AmendedOptions = FlatOptions | Readonly<Record<string, string | number | bigint | boolean>>

/**
 * Changes creation options of an open image, durably; no other request runs meanwhile.
 *
 * @throws BlockError `EINVAL` `Invalid parameter '<name>'` or as option parsing; `ENOTSUP`
 *   `Block driver '<driver>' does not support option amendment`; `ENOMEDIUM` `Node is ejected`; `EACCES` on a read-only
 *   node; `EPERM` where the size cannot be changed; or what the driver reports
 * @example
 * await amendImage(disk, { compat: '1.1', refcount_bits: 64 })
 * @see QEMU 7.2 block.c: bdrv_amend_options
 */
export async function amendImage(
  disk: BlockBackend,
  options: AmendedOptions,
  job: AmendImageOptions = {},
): Promise<void> {
  const node = nodeOf(disk)
  const typed = judgeOptions(node, options)
  if (node.readOnly) throw BlockError.fromErrno('EACCES')
  const change = (): Promise<void> =>
    drained([node], async () => {
      const { force = false, signal, onProgress } = job
      const truncate = (length: number): Promise<void> => truncateNode(node, length)
      try {
        await node.layer.maintenance?.amend?.(typed.options, { force, signal, onProgress, truncate })
      } finally {
        node.writeGeneration++
        node.io.dataRegion.invalidate(0, Number.POSITIVE_INFINITY)
      }
      await flushNode(node)
    })
  await (typed.resizes ? disk.whileResizing(change) : change())
}

/** Gets deprecation warnings, without prefix. */
type OnWarning = (message: string) => void

/**
 * Judges options for {@link amendImage} without changing anything: their names, and whether their values can be read.
 *
 * @throws BlockError `EINVAL`, `ENOTSUP`, `ENOMEDIUM` as `amendImage`
 */
export function checkAmendOptions(disk: BlockBackend, options: AmendedOptions, onWarning?: OnWarning): void {
  judgeOptions(nodeOf(disk), options, onWarning)
}

function judgeOptions(
  node: GraphNode,
  options: AmendedOptions,
  onWarning?: OnWarning,
): ReturnType<typeof typedOptions> {
  if (node.ejected) throw new BlockError('ENOMEDIUM', 'Node is ejected')
  const { amendOptions } = node.driver
  if (amendOptions === undefined || node.layer.maintenance?.amend === undefined) {
    throw new BlockError('ENOTSUP', `Block driver '${node.driverName}' does not support option amendment`)
  }
  return typedOptions(node.driver, amendOptions, options, onWarning)
}

function typedOptions(
  driver: AnyDriver,
  schema: OptionSchema<object>,
  given: AmendedOptions,
  onWarning: OnWarning | undefined,
): { readonly options: object; readonly resizes: boolean } {
  const flat: FlatOptions = new Map(given instanceof Map ? given : Object.entries(given))
  const entries = [...flat].map(([name, value]) => [name, scalarText(value)] as const)
  try {
    checkOptionEntries(schema, entries, onWarning === undefined ? {} : { onWarning })
  } catch (error) {
    const all = { ...schema, ...driver.create?.options }
    if (!(error instanceof BlockError && areTaken(all, entries))) throw error
    const hint = 'This option is only supported for image creation'
    throw new BlockError(error.code, error.message, { hint, cause: error })
  }
  const { options } = parseTypedOptions<object>(schema, flat, { purpose: 'create' })
  return { options, resizes: flat.has('size') }
}

/** Whether all of these options are known, and their values can be read. */
function areTaken(schema: OptionSchema<object>, entries: readonly (readonly [string, string])[]): boolean {
  try {
    checkOptionEntries(schema, entries)
    return true
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    return false
  }
}
