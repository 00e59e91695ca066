/** The records of `info`, for people and for programs. */

import { infoLines, type InfoValue, snapshotMembers } from '@blocklayer/block-core'
import type { ChildInfo, ImageInfo } from '@blocklayer/qemu-img'
import { humanSize } from './human-size.ts'
import { humanSnapshots } from './snapshot-list.ts'

/**
 * The record for people.
 *
 * @see QEMU 7.2 block/qapi.c: bdrv_image_info_dump
 */
export function humanInfo(record: ImageInfo): string {
  const disk = record.actualSize === undefined ? 'unavailable' : humanSize(record.actualSize)
  const lines = [
    `image: ${record.filename}`,
    `file format: ${record.format}`,
    `virtual size: ${humanSize(record.virtualSize)} (${record.virtualSize} bytes)`,
    `disk size: ${disk}`,
  ]
  if (record.encrypted) lines.push('encrypted: yes')
  if (record.clusterSize !== undefined) lines.push(`cluster_size: ${record.clusterSize}`)
  if (record.dirty === true) lines.push('cleanly shut down: no')
  lines.push(...backingLines(record))
  const snapshots = record.snapshots.length === 0 ? '' : humanSnapshots(record.snapshots)
  const specific = record.specific === undefined ? [] : infoLines(record.specific.data, 1)
  if (specific.length > 0) specific.unshift('Format specific information:')
  const limits = Object.entries(record.limits ?? {}).map(
    ([name, bytes]) => `    ${name.replaceAll('-', ' ')}: ${bytes}`,
  )
  if (limits.length > 0) limits.unshift('Block limits:')
  const after = [...specific, ...limits].map((line) => `${line}\n`)
  const own = [...lines.map((line) => `${line}\n`), snapshots, ...after].join('')
  return own + (record.children ?? []).map((child) => humanChild(child, '')).join('')
}

/** Each node below has a paragraph of its own, whatever it is below of. */
function humanChild({ name, isProtocol, info }: ChildInfo, above: string): string {
  const path = `${above}/${name}`
  const { children = [], ...alone } = info
  const text = humanInfo(isProtocol ? { ...alone, specific: undefined } : alone)
  const lines = (isProtocol ? asProtocol(text) : text).trimEnd().split('\n')
  const own = lines.map((line) => `    ${line}\n`).join('')
  return `Child node '${path}':\n${own}${children.map((child) => humanChild(child, path)).join('')}`
}

function asProtocol(text: string): string {
  return text
    .replace(/^image:/, 'filename:')
    .replace('\nfile format:', '\nprotocol type:')
    .replace('\nvirtual size:', '\nfile length:')
}

function backingLines({ backingFilename, fullBackingFilename, backingFormat }: ImageInfo): string[] {
  if (backingFilename === undefined) return []
  const lines = [`backing file: ${backingFilename}${actualPath(backingFilename, fullBackingFilename)}`]
  if (backingFormat !== undefined) lines.push(`backing file format: ${backingFormat}`)
  return lines
}

function actualPath(recorded: string, full: string | undefined): string {
  if (full === undefined) return ' (cannot determine actual path)'
  return full === recorded ? '' : ` (actual path: ${full})`
}

/**
 * The record as JSON members, in the reference's order of insertion.
 *
 * @see QEMU 7.2 qapi/block-core.json: ImageInfo
 */
export function infoMembers(record: ImageInfo): Record<string, InfoValue> {
  const members: Record<string, InfoValue | undefined> = {
    snapshots: record.snapshots.length === 0 ? undefined : record.snapshots.map(snapshotMembers),
    filename: record.filename,
    format: record.format,
    'dirty-flag': record.dirty,
    'actual-size': record.actualSize,
    'virtual-size': record.virtualSize,
    'cluster-size': record.clusterSize,
    encrypted: record.encrypted ? true : undefined,
    'backing-filename': record.backingFilename,
    'full-backing-filename': record.fullBackingFilename,
    'backing-filename-format': record.backingFormat,
    limits: record.limits === undefined ? undefined : { ...record.limits },
    'format-specific': record.specific,
    children: record.children?.map(({ name, info: below }) => ({ name, info: infoMembers(below) })),
  }
  const known: Record<string, InfoValue> = {}
  for (const [key, value] of Object.entries(members)) if (value !== undefined) known[key] = value
  return known
}
