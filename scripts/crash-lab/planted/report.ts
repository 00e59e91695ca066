/** The table in docs/fault-lab.md that says by which state each planted bug is caught. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../lib/workspace.ts'
import type { Catch } from './catch.ts'

/** The document that holds the table. */
export const document: string = join(root, 'docs/fault-lab.md')

const begin = '<!-- planted bugs: pnpm planted-bugs --write -->\n'
const end = '<!-- end of planted bugs -->\n'

/** The table as lines of Markdown. */
export function catchTable(catches: readonly Catch[]): string {
  const rows = catches.map(({ bug, verdict }) => {
    const title = bug.ofReference === true ? `${bug.title} (**the reference's own order**)` : bug.title
    const place = 'journal' in bug.change ? 'file layer' : `\`${bug.change.file}\``
    const seen = verdict === undefined ? '**missed**' : cell(verdict.problems[0] ?? '')
    return `| ${title} | ${place} | \`${bug.operation}\` | \`${verdict?.id ?? '-'}\` | ${seen} |`
  })
  const head = ['| planted bug | where | operation | state | what is wrong there |', '|---|---|---|---|---|']
  return `${[...head, ...rows].join('\n')}\n`
}

/** Long lists of allowed values say no more than their beginning. */
function cell(problem: string): string {
  const text = problem.replaceAll('|', '\\|')
  return text.length > 140 ? `${text.slice(0, 140)}…` : text
}

/** The table that the document has. @throws Error where the marks around it are gone */
export function tableInDocument(): string {
  const text = readFileSync(document, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${document} has no place for the table of planted bugs`)
  return `${text.slice(from + begin.length, to).trim()}\n`
}

/** Puts the table into the document. */
export function writeDocument(table: string): void {
  const text = readFileSync(document, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${document} has no place for the table of planted bugs`)
  writeFileSync(document, `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`)
}
