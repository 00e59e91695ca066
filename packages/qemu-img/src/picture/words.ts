/** The facts of a picture in words. */

import type { Picture } from './collect.ts'
import { shareText, sizeText } from './markup.ts'

/** What is told at the head of a picture: names and values. */
export function factsOf({ info, guest, file }: Picture): readonly (readonly [string, string])[] {
  const facts: [string, string][] = [
    ['format', info.format],
    ['virtual size', sizeText(guest.bytes)],
  ]
  if (info.actualSize !== undefined) facts.push(['on disk', sizeText(info.actualSize)])
  if (file !== undefined) facts.push(['file length', sizeText(file.bytes)])
  if (info.clusterSize !== undefined) facts.push(['cluster', sizeText(info.clusterSize)])
  if (info.snapshots.length > 0) facts.push(['snapshots', String(info.snapshots.length)])
  if (info.encrypted) facts.push(['encrypted', 'yes'])
  if (info.dirty === true) facts.push(['cleanly shut down', 'no'])
  return facts
}

/** How the data lies in the file. */
export function fragmentationText({ fragmentation: { pieces, bytes }, brokenBytes }: Picture): string {
  const broken = brokenBytes > 0 ? ` ${sizeText(brokenBytes)} are named at places that do not exist: damage.` : ''
  if (pieces === 0) return `No data lies in the image itself as it is.${broken}`
  const many = pieces === 1 ? 'one piece' : `${pieces} pieces of ${sizeText(bytes / pieces)} on average`
  return `${sizeText(bytes)} of data lie in ${many}.${broken}`
}

/** Rows of the chart of pieces: their length, their bytes, their share. */
export function pieceRows({
  fragmentation: { bytes, byLength },
}: Picture): readonly (readonly [string, number, string])[] {
  const names = ['up to 64 KiB', 'to 1 MiB', 'to 16 MiB', 'to 256 MiB', 'longer']
  return names.map((name, index) => [name, byLength[index] ?? 0, shareText(byLength[index] ?? 0, bytes)] as const)
}
