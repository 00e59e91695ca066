/** One map as SVG: rows of cells, each filled from below by what is in it, in the order of the map's kinds. */

import type { CellMap } from './cells.ts'
import { escaped, px, shareText, sizeText } from './markup.ts'

/** Cells of a row. */
export const columns = 64

const pitch = 15
const gap = 1.5
const axis = 78

/** Width of every map, axis included. */
export const gridWidth: number = axis + columns * pitch

/** Height of a map: bar, gap, rows. */
export function gridHeight(map: CellMap): number {
  return barHeight + 14 + Math.max(1, Math.ceil(map.count / columns)) * pitch
}

const barHeight = 16
/** Of a cell's height: what is there at all is to be seen. */
const heightMin = 2

/** Bar and cells; the top left corner is the origin. Elements are at most a few for each cell. */
export function gridElements(map: CellMap): string {
  return `${bar(map)}<g transform="translate(0 ${barHeight + 14})">${rows(map)}</g>`
}

/** All of the map in one line: the share of each kind. */
function bar(map: CellMap): string {
  const width = columns * pitch - gap
  let x = axis
  let parts = `<rect class="empty" x="${axis}" width="${px(width)}" height="${barHeight}" rx="3"/>`
  map.totals.forEach((bytes, kind) => {
    if (bytes <= 0 || map.bytes === 0) return
    const { id, label } = map.kinds[kind]!
    const wide = Math.min((bytes / map.bytes) * width, axis + width - x)
    const title = `<title>${escaped(label)}: ${sizeText(bytes)}, ${shareText(bytes, map.bytes)}</title>`
    parts += `<rect class="${id}" x="${px(x)}" width="${px(wide)}" height="${barHeight}">${title}</rect>`
    x += wide
  })
  return parts
}

function rows(map: CellMap): string {
  let text = ''
  for (let first = 0; first < map.count; first += columns) {
    const count = Math.min(columns, map.count - first)
    const y = (first / columns) * pitch
    const label = sizeText(first * map.cellBytes)
    text += `<text class="s n" x="${axis - 8}" y="${y + 11}" text-anchor="end">${label}</text>`
    text += cell({ x: axis, y, height: pitch - gap, cells: count, kind: 'empty' })
    text += filledCells(map, first, count, y)
  }
  return text
}

/** The cells of one row that hold anything; neighbours that are full of one kind are drawn in one. */
function filledCells(map: CellMap, first: number, count: number, y: number): string {
  let text = ''
  for (let column = 0; column < count; ) {
    const full = fullKind(map, first + column)
    let cells = 1
    if (full === undefined) text += partialCell(map, first + column, { x: axis + column * pitch, y })
    else {
      while (column + cells < count && fullKind(map, first + column + cells) === full) cells++
      const { id, label } = map.kinds[full]!
      const title = `${rangeText(map, first + column, cells)}: ${label}`
      text += cell({ x: axis + column * pitch, y, height: pitch - gap, cells, kind: id, title })
    }
    column += cells
  }
  return text
}

/** The kind that a cell is full of. */
function fullKind(map: CellMap, index: number): number | undefined {
  const bytes = map.bytesOf(index)
  for (let kind = 0; kind < map.kinds.length; kind++) if (map.get(index, kind) >= bytes) return kind
  return undefined
}

function partialCell(map: CellMap, index: number, { x, y }: { readonly x: number; readonly y: number }): string {
  const parts = map.kinds
    .map((kind, number) => ({ kind, bytes: map.get(index, number) }))
    .filter(({ bytes }) => bytes > 0)
  if (parts.length === 0) return ''
  const inside = pitch - gap
  const whole = Math.max(
    map.bytesOf(index),
    parts.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  const wanted = parts.map(({ bytes }) => Math.max(heightMin, (bytes / whole) * inside))
  // What is drawn larger than it is must not push others out.
  const scale = Math.min(1, inside / wanted.reduce((sum, height) => sum + height, 0))
  let bottom = y + inside
  let text = ''
  parts.forEach(({ kind }, number) => {
    const height = wanted[number]! * scale
    bottom -= height
    text += cell({ x, y: bottom, height, cells: 1, kind: kind.id })
  })
  const shares = parts.map(({ kind, bytes }) => `${kind.label} ${shareText(bytes, map.bytesOf(index))}`)
  return `<g><title>${rangeText(map, index, 1)}: ${escaped(shares.join(', '))}</title>${text}</g>`
}

interface CellShape {
  readonly x: number
  readonly y: number
  readonly height: number
  /** How many cells wide. */
  readonly cells: number
  readonly kind: string
  readonly title?: string
}

/** Cells are rectangles with gaps; a row of them is one path, so that a full disk is not a thousand elements. */
function cell({ x, y, height, cells, kind, title }: CellShape): string {
  const width = pitch - gap
  const path = `M${px(x)} ${px(y)}${`h${width}v${px(height)}h-${width}zm${pitch} 0`.repeat(cells)}`
  const inner = title === undefined ? '/>' : `><title>${escaped(title)}</title></path>`
  return `<path class="${kind}" d="${path}"${inner}`
}

function rangeText(map: CellMap, first: number, cells: number): string {
  const start = first * map.cellBytes
  const end = Math.min(map.bytes, start + cells * map.cellBytes)
  return `${sizeText(start)} – ${sizeText(end)}`
}
