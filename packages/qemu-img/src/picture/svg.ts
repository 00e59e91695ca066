/** A picture of an image as one SVG file: no scripts, nothing from elsewhere, light and dark. */

import type { CellMap } from './cells.ts'
import type { Picture } from './collect.ts'
import { gridElements, gridHeight, gridWidth } from './grid.ts'
import { styleSheet } from './kinds.ts'
import { escaped, px, shareText, sizeText } from './markup.ts'
import { factsOf, fragmentationText } from './words.ts'

const margin = 28
const legendColumns = 3
const legendPitch = 20

/**
 * Draws a picture. Its size is bounded whatever the image's size; names in it are shown and never are markup.
 *
 * @example
 * console.log(pictureSvg(await collectPicture(disk)).length)
 */
export function pictureSvg(picture: Picture): string {
  const parts: string[] = []
  let y = margin + 18
  const line = (css: string, text: string, step: number): void => {
    parts.push(`<text class="${css}" x="${margin}" y="${px(y)}">${escaped(text)}</text>`)
    y += step
  }
  line('t', picture.info.filename, 20)
  line(
    's',
    factsOf(picture)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · '),
    34,
  )
  const section = (title: string, note: string, map: CellMap): void => {
    line('t', title, 18)
    line('s', note, 14)
    parts.push(`<g transform="translate(${margin} ${px(y)})">${gridElements(map)}</g>`)
    y += gridHeight(map) + 22
    parts.push(legend(map, y))
    y += Math.ceil((legendRows(map).length + 1) / legendColumns) * legendPitch + 26
  }
  section(
    'The disk',
    `What the guest sees, by the image that it comes from. A cell is ${sizeText(picture.guest.cellBytes)}.`,
    picture.guest,
  )
  if (picture.file !== undefined) {
    section(
      'The file',
      `What the image’s own file is made of. A cell is ${sizeText(picture.file.cellBytes)}.`,
      picture.file,
    )
  }
  for (const [depth, { filename, format, bytes }] of picture.chain.slice(0, chainMax).entries()) {
    line('s', `${depth}  ${filename} (${format}): ${sizeText(bytes)} of the disk`, 18)
  }
  if (picture.chain.length > chainMax) line('s', `… and ${picture.chain.length - chainMax} images below`, 18)
  line('s', fragmentationText(picture), 18)
  const [width, height] = [gridWidth + 2 * margin, Math.ceil(y + margin - 18)]
  const label = `Picture of the image ${picture.info.filename}`
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `role="img" aria-labelledby="title desc"><title id="title">${escaped(label)}</title>` +
    `<desc id="desc">${escaped(description(picture), 4000)}</desc><style>${styleSheet('svg')}</style>` +
    `<rect class="paper" width="100%" height="100%"/>${parts.join('')}</svg>\n`
  )
}

/** Images of a chain that are listed. */
const chainMax = 24

/** Kinds that are there, with their numbers. */
export function legendRows(
  map: CellMap,
): readonly { readonly id: string; readonly label: string; readonly bytes: number }[] {
  return map.kinds.flatMap(({ id, label }, kind) => {
    const bytes = map.totals[kind]!
    return bytes > 0 ? [{ id, label, bytes }] : []
  })
}

function legend(map: CellMap, y: number): string {
  const rows = [...legendRows(map), { id: 'empty', label: map.emptyLabel, bytes: map.empty }]
  const width = gridWidth / legendColumns
  return rows
    .map(({ id, label, bytes }, index) => {
      const at = [
        margin + (index % legendColumns) * width,
        y + Math.floor(index / legendColumns) * legendPitch,
      ] as const
      const text = `${label}: ${sizeText(bytes)} (${shareText(bytes, map.bytes)})`
      return (
        `<rect class="${id}" x="${px(at[0])}" y="${px(at[1] - 10)}" width="12" height="12" rx="2"/>` +
        `<text class="s n" x="${px(at[0] + 18)}" y="${px(at[1])}">${escaped(text)}</text>`
      )
    })
    .join('')
}

/** The picture in words, for those who do not see it. */
function description(picture: Picture): string {
  const words = (map: CellMap): string =>
    legendRows(map)
      .map(({ label, bytes }) => `${label} ${sizeText(bytes)}`)
      .join(', ')
  const file = picture.file === undefined ? '' : ` The file: ${words(picture.file)}.`
  return `The disk of ${sizeText(picture.guest.bytes)}: ${words(picture.guest)}.${file} ${fragmentationText(picture)}`
}
