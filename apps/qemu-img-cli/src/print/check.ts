/** The report of `check`, for people and for programs. */

import type { CheckResult } from '@blocklayer/block-core'
import { fixed2 } from './c-format.ts'

/** Said when a repair has changed something, before the image is checked again. */
export function repairText(report: CheckResult): string {
  return (
    'The following inconsistencies were found and repaired:\n\n' +
    `    ${report.leaksFixed} leaked clusters\n    ${report.corruptionsFixed} corruptions\n\n` +
    'Double checking the fixed image now...\n'
  )
}

/**
 * The report for people.
 *
 * @see QEMU 7.2 qemu-img.c: dump_human_image_check
 */
export function humanCheck(report: CheckResult): string {
  return verdictText(report) + clustersText(report) + endText(report)
}

function verdictText({ corruptions, leaks, checkErrors }: CheckResult): string {
  if (corruptions + leaks + checkErrors === 0) return 'No errors were found on the image.\n'
  let text = ''
  if (corruptions > 0) {
    text += `\n${corruptions} errors were found on the image.\n`
    text += 'Data may be corrupted, or further writes to the image may corrupt it.\n'
  }
  if (leaks > 0) {
    text += `\n${leaks} leaked clusters were found on the image.\n`
    text += 'This means waste of disk space, but no harm to data.\n'
  }
  if (checkErrors > 0) text += `\n${checkErrors} internal errors have occurred during the check.\n`
  return text
}

function clustersText({ clusters }: CheckResult): string {
  const { total, allocated, fragmented, compressed } = clusters
  if (total === 0 || allocated === 0) return ''
  const percent = (part: number, whole: number): string => fixed2((part * 100) / whole)
  return (
    `${allocated}/${total} = ${percent(allocated, total)}% allocated, ` +
    `${percent(fragmented, allocated)}% fragmented, ${percent(compressed, allocated)}% compressed clusters\n`
  )
}

function endText({ imageEndOffset }: CheckResult): string {
  return imageEndOffset > 0 ? `Image end offset: ${imageEndOffset}\n` : ''
}

/**
 * The report as JSON members; what is 0 is left out, except `check-errors`.
 *
 * @see QEMU 7.2 qapi/block-core.json: ImageCheck
 */
export function checkMembers(
  report: CheckResult,
  image: { readonly filename: string; readonly format: string },
): Record<string, string | number> {
  const counted: Record<string, number> = {
    'image-end-offset': report.imageEndOffset,
    corruptions: report.corruptions,
    leaks: report.leaks,
    'corruptions-fixed': report.corruptionsFixed,
    'leaks-fixed': report.leaksFixed,
    'total-clusters': report.clusters.total,
    'allocated-clusters': report.clusters.allocated,
    'fragmented-clusters': report.clusters.fragmented,
    'compressed-clusters': report.clusters.compressed,
  }
  const members: Record<string, string | number> = { ...image, 'check-errors': report.checkErrors }
  for (const [key, value] of Object.entries(counted)) if (value !== 0) members[key] = value
  return members
}
