/** Looks for damage in an image's metadata, mends it on request, and looks again. */

import {
  type BlockBackend,
  BlockError,
  type CheckResult,
  type JobOptions,
  type RepairMode,
} from '@blocklayer/block-core'

/** How an image is checked. */
export interface CheckImageOptions extends JobOptions {
  /** What is mended; the disk has to be writable then. Default `none`. */
  readonly repair?: RepairMode | undefined
  /** Told what was mended, before the image is looked at again. */
  readonly onRepaired?: ((first: CheckResult) => void) | undefined
}

/** What is to be thought of an image: the worst that holds. */
export type CheckVerdict =
  | 'clean'
  /** Clusters that nothing uses: space is wasted, no data is in danger. */
  | 'leaks'
  /** Data may be wrong, or further writes may make it so. */
  | 'corruptions'
  /** The check met errors of its own: it has not seen everything. */
  | 'incomplete'

/** An image as it is now, after what was mended. */
export interface CheckReport extends CheckResult {
  readonly verdict: CheckVerdict
}

/**
 * Checks an image that was opened for it (`graph.open(name, { check: true })`). What was mended is looked at again: the
 * report is about the image as it is then, with the counts of what was mended.
 *
 * @throws BlockError `ENOTSUP` `This image format does not support checks`; `Check failed: …`; `signal.reason`
 * @see QEMU 7.2 qemu-img.c: img_check
 * @example
 * const { verdict, leaksFixed } = await checkImage(disk, { repair: 'leaks' })
 * console.log(verdict, leaksFixed)
 */
export async function checkImage(disk: BlockBackend, options: CheckImageOptions = {}): Promise<CheckReport> {
  const { repair = 'none', onRepaired, ...job } = options
  const first = await runCheck(disk, { repair, ...job })
  const { leaksFixed, corruptionsFixed } = first
  const isRepaired = leaksFixed + corruptionsFixed > 0
  if (isRepaired) onRepaired?.(first)
  const now = isRepaired ? await runCheck(disk, { repair: 'none', ...job }) : first
  return { ...now, leaksFixed, corruptionsFixed, verdict: verdictOf(now) }
}

async function runCheck(
  disk: BlockBackend,
  options: JobOptions & { readonly repair: RepairMode },
): Promise<CheckResult> {
  try {
    return await disk.check(options)
  } catch (error) {
    if (!(error instanceof BlockError) || error.code === 'ENOTSUP') throw error
    throw BlockError.withErrno(error.code, 'Check failed', { cause: error })
  }
}

function verdictOf({ checkErrors, corruptions, leaks }: CheckResult): CheckVerdict {
  if (checkErrors > 0) return 'incomplete'
  if (corruptions > 0) return 'corruptions'
  return leaks > 0 ? 'leaks' : 'clean'
}
