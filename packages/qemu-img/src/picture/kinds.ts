/** The kinds that maps show, their words and their colours: in light, and in dark. */

import type { LayoutKind } from '@blocklayer/block-core'
import type { CellKind } from './cells.ts'

/** Images of a chain that have a colour of their own; those below share the last. */
export const depthsMax = 6

/** Kinds of the disk's map: data by the depth of the image that it is in, then what has no depth. */
export function guestKinds(images: number): readonly CellKind[] {
  const depths = Math.max(1, Math.min(images, depthsMax))
  const data = Array.from({ length: depths }, (_, depth) => ({ id: `d${depth}`, label: depthLabel(depth, images) }))
  return [...data, { id: 'compressed', label: 'compressed' }, { id: 'zero', label: 'zeroes, recorded as such' }]
}

function depthLabel(depth: number, images: number): string {
  if (images <= 1) return 'data'
  if (depth === 0) return 'data in the image itself'
  return depth === depthsMax - 1 && images > depthsMax ? `data ${depth} or more images below` : `data ${depth} below`
}

/** Number of a kind of `guestKinds`. */
export function guestKindOf(
  kinds: readonly CellKind[],
  extent: {
    readonly depth: number
    readonly data: boolean
    readonly zero: boolean
    readonly present: boolean
    readonly compressed: boolean
  },
): number | undefined {
  if (extent.data && !extent.zero) {
    return extent.compressed ? kinds.length - 2 : Math.min(extent.depth, kinds.length - 3)
  }
  return extent.present && extent.zero ? kinds.length - 1 : undefined
}

const labels: readonly (readonly [LayoutKind, string])[] = [
  ['header', 'header'],
  ['map-root', 'map, root'],
  ['map', 'map'],
  ['counts-root', 'reference counts, root'],
  ['counts', 'reference counts'],
  ['snapshot', 'snapshot tables'],
  ['bitmap', 'dirty bitmaps'],
  ['data', 'data'],
  ['compressed', 'compressed data'],
  ['snapshot-data', 'data of snapshots only'],
  ['reserved', 'reserved, reads as zeroes'],
  ['leaked', 'leaked: taken, and nobody’s'],
  ['overlap', 'damage: claimed twice'],
]

/** Kinds of the file's map, under the names that the format gives them. */
export function fileKinds(names: Readonly<Partial<Record<LayoutKind, string>>>): readonly CellKind[] {
  return labels.map(([id, label]) => ({ id, label: names[id] ?? label }))
}

/** Number of a kind of `fileKinds`; `undefined` for what has no place in the file. */
export function fileKindOf(kind: LayoutKind): number | undefined {
  const found = labels.findIndex(([id]) => id === kind)
  return found < 0 ? undefined : found
}

/** Light and dark colour of each kind. */
const colours: Readonly<Record<string, readonly [string, string]>> = {
  d0: ['#2f6fde', '#5b9bff'],
  d1: ['#0f9d8f', '#2cc4b2'],
  d2: ['#6fa322', '#9bd14a'],
  d3: ['#d39a12', '#f0bd45'],
  d4: ['#dd6b20', '#f79256'],
  d5: ['#b83262', '#ec6f9c'],
  zero: ['#b9c4d3', '#4d5a6d'],
  header: ['#1f2937', '#f1f5f9'],
  'map-root': ['#a34b0b', '#ffb37a'],
  map: ['#f0a11f', '#ffc861'],
  'counts-root': ['#9d1a5e', '#ff8cc6'],
  counts: ['#e470ad', '#d65b9f'],
  snapshot: ['#0b6b80', '#49d0ea'],
  bitmap: ['#6fa322', '#9bd14a'],
  data: ['#2f6fde', '#5b9bff'],
  compressed: ['#7a4fd0', '#a98bff'],
  'snapshot-data': ['#66c3d6', '#2a8ca1'],
  reserved: ['#a9c7f5', '#3b5f96'],
  leaked: ['#e23b3b', '#ff6b6b'],
  overlap: ['#000000', '#ff2d2d'],
}

/** Colours that are of no kind: paper, ink, faint ink, lines, empty cells. */
const chrome: Readonly<Record<string, readonly [string, string]>> = {
  paper: ['#ffffff', '#151a22'],
  page: ['#f4f5f8', '#0d1117'],
  ink: ['#1b2430', '#e8edf4'],
  faint: ['#5c6878', '#9aa7b8'],
  line: ['#dfe4ec', '#2b3442'],
  empty: ['#edf0f5', '#222a36'],
}

function variables(dark: boolean): string {
  return [...Object.entries(chrome), ...Object.entries(colours)]
    .map(([name, [light, night]]) => `--${name}:${dark ? night : light}`)
    .join(';')
}

/** The style sheet of every picture: colours by the reader's choice of light and dark. */
export function styleSheet(root: string): string {
  const fills = [...Object.keys(colours), 'empty'].map(
    (name) => `.${name}{fill:var(--${name});background:var(--${name})}`,
  )
  return (
    `${root}{${variables(false)};color-scheme:light dark}` +
    `@media(prefers-color-scheme:dark){${root}{${variables(true)}}}` +
    `${fills.join('')}.paper{fill:var(--paper)}.t{fill:var(--ink);font:600 15px system-ui,sans-serif}` +
    `.s{fill:var(--faint);font:12px system-ui,sans-serif}.n{font-variant-numeric:tabular-nums}`
  )
}
