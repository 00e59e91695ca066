/** `check` by ours, with what the reference's tool would print and end with. */

import { BlockError, type CheckResult, createBlockGraph } from '@blocklayer/block-core'
import { createFileDriver, file } from '@blocklayer/driver-file'
import { qcow2, qcow2Driver } from '../../src/index.ts'
import type { Verdict } from './verdict.ts'

const drivers = [createFileDriver({ aio: 'sync' }), qcow2Driver]

/**
 * Checks the image in `path` as `qemu-img check` does, with `-r all` where `repair` is set.
 *
 * @param keepLines - how many messages to keep: damage can fill memory with them
 */
export async function checkByOurs(
  path: string,
  repair: boolean,
  keepLines: number = Number.POSITIVE_INFINITY,
): Promise<Verdict> {
  const lines: string[] = []
  const graph = createBlockGraph({
    drivers,
    implicitOpen: 'allow',
    onDiagnostic: ({ kind, text }) => {
      if (lines.length >= keepLines) return
      lines.push(kind === 'line' ? text : kind === 'warning' ? `qemu-img: warning: ${text}` : `qemu-img: ${text}`)
    },
  })
  let counts: CheckResult | undefined
  let code = 1
  try {
    const node = qcow2({ file: file(path, { locking: 'off' }) })
    const disk = await graph.open(node, { check: true, readOnly: !repair, backing: null }).catch((error: unknown) => {
      throw error instanceof BlockError ? error.prepend(`Could not open '${path}': `) : error
    })
    const told = async (mode: 'none' | 'all'): Promise<CheckResult> => {
      try {
        return await disk.check({ repair: mode })
      } catch (error) {
        throw new BlockError('EIO', `Check failed: ${(error as BlockError).errnoText}`, { cause: error })
      }
    }
    counts = await told(repair ? 'all' : 'none')
    const { corruptionsFixed, leaksFixed } = counts
    if (corruptionsFixed + leaksFixed > 0) counts = { ...(await told('none')), corruptionsFixed, leaksFixed }
    code = counts.checkErrors > 0 ? 1 : counts.corruptions > 0 ? 2 : counts.leaks > 0 ? 3 : 0
    if (counts.checkErrors > 0) lines.push('qemu-img: Check failed')
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    counts = undefined
    lines.push(`qemu-img: ${error.message}`)
    if (error.hint !== undefined) lines.push(error.hint)
  } finally {
    await graph.close().catch((error: unknown) => lines.push(`closing: ${(error as Error).message}`))
  }
  return { code, counts: countsOf(counts), lines }
}

function countsOf(result: CheckResult | undefined): Record<string, number> {
  if (result === undefined) return {}
  const { clusters } = result
  const counts = {
    'image-end-offset': result.imageEndOffset,
    'total-clusters': clusters.total,
    'allocated-clusters': clusters.allocated,
    'fragmented-clusters': clusters.fragmented,
    'compressed-clusters': clusters.compressed,
    corruptions: result.corruptions,
    leaks: result.leaks,
    'corruptions-fixed': result.corruptionsFixed,
    'leaks-fixed': result.leaksFixed,
    'check-errors': result.checkErrors,
  }
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
}
