/** What `info` prints about an image. */

import { type BlockBackend, infoLines } from '@blocklayer/block-core'
import { sizeText } from './report.ts'

/** Lines, and whether the format had anything to say. */
export interface InfoText {
  readonly text: string
  readonly isComplete: boolean
}

/** Drivers that know nothing of clusters in the reference, and have no file that could be asked instead. */
const withoutFacts: ReadonlySet<string> = new Set(['nbd', 'null-aio', 'null-co', 'quorum'])

/**
 * The lines of `info`.
 *
 * @param protocolName - of the image's own driver, where it is a protocol: it has a line of its own
 */
export function infoText({ root, info }: BlockBackend, protocolName?: string): InfoText {
  const lines = [`format name: ${root.driverName}`]
  if (protocolName !== undefined) lines.push(`format name: ${protocolName}`)
  const isComplete = !withoutFacts.has(root.driverName)
  if (isComplete) {
    lines.push(`cluster size: ${sizeText(info.clusterSize ?? 0)}`)
    lines.push(`vm state offset: ${sizeText(info.vmStateOffset ?? 0)}`)
    const specific = info.specific === undefined ? [] : infoLines(info.specific.data, 1)
    if (specific.length > 0) lines.push('Format specific information:', ...specific)
  }
  return { text: lines.map((line) => `${line}\n`).join(''), isComplete }
}
