/** A picture of an image as one HTML page: it works without a network, and runs no scripts. */

import { snapshotRows } from './snapshot-rows.ts'
import type { CellMap } from './cells.ts'
import type { Picture } from './collect.ts'
import { gridElements, gridHeight, gridWidth } from './grid.ts'
import { styleSheet } from './kinds.ts'
import { escaped, px, shareText, sizeText } from './markup.ts'
import { legendRows } from './svg.ts'
import { factsOf, fragmentationText, pieceRows } from './words.ts'

const pageStyle = `*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:32px 20px 64px}h1{font-size:26px;margin:0 0 12px;overflow-wrap:anywhere}
h2{font-size:18px;margin:0 0 2px}p{margin:0 0 14px;color:var(--faint)}section{background:var(--paper);border:1px solid
var(--line);border-radius:12px;padding:22px 24px;margin:18px 0}dl{display:flex;flex-wrap:wrap;gap:8px 28px;margin:0}
dt{color:var(--faint);font-size:12px}dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}svg{display:block;
width:100%;height:auto;margin:4px 0 14px}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--faint);font-size:12px;padding-bottom:4px}td,th{padding:4px 10px 4px 0;text-align:left;
border-top:1px solid var(--line);overflow-wrap:anywhere}th{font-size:12px;color:var(--faint);font-weight:500}
td.r,th.r{text-align:right;white-space:nowrap}i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:8px;
vertical-align:-1px}b.bar{display:block;height:10px;border-radius:3px;background:var(--d0);min-width:1px}
@media print{section{break-inside:avoid}}`

/**
 * Draws a page around a picture: maps, numbers beside them, the chain, the snapshots. Its size is bounded whatever the
 * image's size; names in it are shown and never are markup.
 *
 * @example
 * console.log(pictureHtml(await collectPicture(disk)).length)
 */
export function pictureHtml(picture: Picture): string {
  const { info, guest, file } = picture
  const facts = factsOf(picture).map(
    ([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`,
  )
  const sections = [
    mapSection('The disk', 'What the guest sees, by the image that it comes from.', guest),
    file === undefined
      ? section('The file', `<p>The format ${escaped(info.format)} does not say what its file is made of.</p>`)
      : mapSection(
          'The file',
          'What the image’s own file is made of: the guest’s data, and the tables that lead to it.',
          file,
        ),
    chainSection(picture),
    piecesSection(picture),
    ...(info.snapshots.length === 0 ? [] : [section('Snapshots', snapshotRows(info.snapshots))]),
  ]
  const title = escaped(info.filename)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${styleSheet(':root')}${pageStyle}</style></head>
<body><main><h1><bdi>${title}</bdi></h1><dl>${facts.join('')}</dl>
${sections.join('\n')}
</main></body></html>
`
}

function section(title: string, content: string): string {
  return `<section><h2>${title}</h2>${content}</section>`
}

function mapSection(title: string, words: string, map: CellMap): string {
  const [width, height] = [gridWidth, gridHeight(map)]
  const picture =
    `<svg viewBox="0 0 ${width} ${px(height)}" role="img"><title>${title}</title>` +
    `<desc>The numbers are in the table below.</desc>${gridElements(map)}</svg>`
  const rows = [...legendRows(map), { id: 'empty', label: map.emptyLabel, bytes: map.empty }].map(
    ({ id, label, bytes }) =>
      `<tr><td><i class="${id}"></i>${escaped(label)}</td><td class="r">${sizeText(bytes)}</td>` +
      `<td class="r">${shareText(bytes, map.bytes)}</td></tr>`,
  )
  const table =
    `<table><caption>A cell is ${sizeText(map.cellBytes)} and fills from below; what is there at all is drawn at least ` +
    'as high as the eye needs.</caption><thead><tr><th>kind</th><th class="r">bytes</th><th class="r">share</th></tr>' +
    `</thead><tbody>${rows.join('')}</tbody></table>`
  return section(title, `<p>${words}</p>${picture}${table}`)
}

/** Images of a chain that are listed. */
const chainMax = 200

function chainSection({ chain, guest, info }: Picture): string {
  const rows = chain.slice(0, chainMax).map(({ filename, format, bytes }, depth) => {
    const colour = `d${Math.min(depth, 5)}`
    return (
      `<tr><td class="r">${depth}</td><td><i class="${colour}"></i><bdi>${escaped(filename)}</bdi></td>` +
      `<td>${escaped(format)}</td><td class="r">${sizeText(bytes)}</td><td class="r">${shareText(bytes, guest.bytes)}</td></tr>`
    )
  })
  const left = chain.length - rows.length
  if (left > 0) rows.push(`<tr><td></td><td colspan="4">… and ${left} images below</td></tr>`)
  const isAlone = chain.length === 1 && info.backingFilename !== undefined
  const note = isAlone
    ? `<p>Its backing file <bdi>${escaped(info.backingFilename ?? '')}</bdi> was not looked at.</p>`
    : ''
  const head =
    '<tr><th class="r">depth</th><th>image</th><th>format</th><th class="r">of the disk</th><th class="r">share</th></tr>'
  return section('The chain', `${note}<table><thead>${head}</thead><tbody>${rows.join('')}</tbody></table>`)
}

function piecesSection(picture: Picture): string {
  const { bytes } = picture.fragmentation
  const rows = pieceRows(picture).map(([name, part, share]) => {
    const width = bytes === 0 ? 0 : (part / bytes) * 100
    const bar = part === 0 ? '' : `<b class="bar" style="width:${px(width)}%"></b>`
    return `<tr><td>${name}</td><td style="width:60%">${bar}</td><td class="r">${sizeText(part)}</td><td class="r">${share}</td></tr>`
  })
  const head = '<tr><th>pieces of</th><th></th><th class="r">bytes</th><th class="r">share</th></tr>'
  const table = bytes === 0 ? '' : `<table><thead>${head}</thead><tbody>${rows.join('')}</tbody></table>`
  return section('Fragmentation', `<p>${escaped(fragmentationText(picture))}</p>${table}`)
}
