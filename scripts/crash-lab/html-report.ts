/** One HTML file, with nothing outside of it: the timeline of an operation's writes, and the verdict for each crash state. */
import {
  crashMoments,
  type CrashVerdict,
  entryText,
  exploreCrashes,
  type JournalEntry,
  type Recording,
} from '@blocklayer/block-core/testing'
import type { CrashRow } from './crash-table.ts'
import type { LabCase } from './table.ts'

const style = `
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; color: #222; background: #fff }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
td, th { border: 1px solid #ccc; padding: .3rem .5rem; text-align: left; vertical-align: top }
code { font: 12px ui-monospace, monospace }
.flush td { background: #eef3fb } .guest td, .note td { color: #777; font-style: italic }
.states { display: flex; flex-wrap: wrap; gap: 2px } .states i { width: 10px; height: 10px; background: #3a9d5d }
.states i.repaired { background: #d9a520 } .states i.wrong { background: #c62828 }
.bar { position: relative; height: 10px; background: #f2f2f2; min-width: 20rem }
.bar b { position: absolute; height: 10px; min-width: 2px; background: #4472c4 } .bar b.zero { background: #999 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b } .flush td { background: #22304a }
  .bar { background: #333 } td, th { border-color: #555 } }`

/** The report; explores the recording on its way. */
export async function htmlReport(
  one: LabCase,
  recording: Recording,
  rows: readonly CrashRow[],
  seed: number,
): Promise<string> {
  const verdicts: CrashVerdict[] = []
  const { states, violations } = await exploreCrashes(one, recording, {
    seed,
    onVerdict: (verdict) => void verdicts.push(verdict),
  })
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(one.name)}: crash states</title><style>${style}</style>
<h1>${escapeHtml(one.entry.title)}</h1>
<p><code>${escapeHtml(one.name)}</code>: ${states} crash states, ${violations.length} violations (seed ${seed}).
Green: right as it is. Yellow: right, and the next writable open had something to repair. Red: wrong.</p>
<h2>Writes, in their order, and what a cut before each flush can leave</h2>
${timeline(recording, verdicts)}
<h2>The process dies before each request</h2>
${crashRows(rows)}
</html>
`
}

function timeline({ journal }: Recording, verdicts: readonly CrashVerdict[]): string {
  const length = Math.max(1, ...journal.disks.map(({ start }) => start.length), ...journal.entries.map(endOf))
  const moments = [...crashMoments(journal)]
  const lines: string[] = []
  for (const [position, entry] of [...journal.entries, undefined].entries()) {
    for (const moment of moments.filter((one) => one.position === position)) {
      const cells = verdicts.filter(({ id }) => id.startsWith(`${moment.number}:`)).map(cell)
      const title = `${moment.doubtful.length} requests in doubt, ${cells.length} states`
      lines.push(`<tr><th>cut ${moment.number}<td>${title}<td><div class="states">${cells.join('')}</div>`)
    }
    if (entry !== undefined) lines.push(entryRow(entry, position, length))
  }
  return `<table>${lines.join('\n')}</table>`
}

function cell({ id, problems, inspection }: CrashVerdict): string {
  const repaired = (inspection?.repairLines.length ?? 0) > 0
  const kind = problems.length > 0 ? ' class="wrong"' : repaired ? ' class="repaired"' : ''
  const said = problems.length > 0 ? problems : (inspection?.repairLines ?? [])
  return `<i${kind} title="${escapeHtml([id, ...said.slice(0, 6)].join('\n'))}"></i>`
}

function endOf(entry: JournalEntry): number {
  if (entry.kind === 'write') return entry.offset + entry.data.length
  if (entry.kind === 'zero' || entry.kind === 'discard') return entry.offset + entry.bytes
  return entry.kind === 'resize' ? entry.length : 0
}

function entryRow(entry: JournalEntry, position: number, length: number): string {
  const kind = entry.kind === 'flush' || entry.kind === 'guest' || entry.kind === 'note' ? ` class="${entry.kind}"` : ''
  const disk = 'disk' in entry ? ` (disk ${entry.disk})` : ''
  return `<tr${kind}><td>${position}<td><code>${escapeHtml(entryText(entry))}</code>${disk}<td>${bar(entry, length)}`
}

/** Where in the file it is. */
function bar(entry: JournalEntry, length: number): string {
  if (!('offset' in entry)) return ''
  const percent = (bytes: number): string => ((bytes / length) * 100).toFixed(3)
  const width = percent(endOf(entry) - entry.offset)
  const kind = entry.kind === 'write' ? '' : ' class="zero"'
  return `<div class="bar"><b${kind} style="left:${percent(entry.offset)}%;width:${width}%"></b></div>`
}

function crashRows(rows: readonly CrashRow[]): string {
  const cells = rows.map(
    ({ killedBefore, request, disk, onDisk, allocated, guest, check, repair, problems }) =>
      `<tr><td>${killedBefore}<td><code>${escapeHtml(request)}</code> ${escapeHtml(disk)}<td>${escapeHtml(onDisk.join(' | '))}` +
      `<td>${escapeHtml(guest)}, ${allocated} bytes of its own<td>${list(check)}<td>${list(repair)}<td>${list(problems)}`,
  )
  const head = ['', 'before', 'on disk', 'guest', 'check', 'next writable open', 'wrong'].map((text) => `<th>${text}`)
  return `<table><tr>${head.join('')}\n${cells.join('\n')}</table>`
}

const list = (lines: readonly string[]): string => lines.map(escapeHtml).join('<br>')

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
