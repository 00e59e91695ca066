/** The snapshots of an image as a table of HTML. */

import type { SnapshotFacts } from '@blocklayer/block-core'
import { escaped, sizeText } from './markup.ts'

/** Snapshots that are listed. */
const snapshotsMax = 200

/** A table of the first snapshots; how many there are besides. */
export function snapshotRows(snapshots: readonly SnapshotFacts[]): string {
  const rows = snapshots.slice(0, snapshotsMax).map(({ id, name, vmStateBytes, dateSeconds }) => {
    const date = new Date(dateSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
    const cells = [`<td class="r">${escaped(id)}</td><td><bdi>${escaped(name)}</bdi></td>`]
    cells.push(`<td class="r">${sizeText(vmStateBytes)}</td><td class="r">${date} UTC</td>`)
    return `<tr>${cells.join('')}</tr>`
  })
  const left = snapshots.length - rows.length
  if (left > 0) rows.push(`<tr><td></td><td colspan="3">… and ${left} more</td></tr>`)
  const head = '<tr><th class="r">id</th><th>name</th><th class="r">machine state</th><th class="r">made</th></tr>'
  return `<table><thead>${head}</thead><tbody>${rows.join('')}</tbody></table>`
}
