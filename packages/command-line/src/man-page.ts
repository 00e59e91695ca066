/** A manual page out of the tables that a program is described by. */

import { optionHead, type ProgramOption } from './program-option.ts'

/** One entry of a list: what it is about, and what there is to say. */
export interface ManualEntry {
  readonly head: string
  readonly text: string
  /** Options of its own. */
  readonly options?: readonly { readonly head: string; readonly text: string }[]
}

/** A program, as its manual describes it. */
export interface Manual {
  readonly name: string
  readonly version: string
  readonly summary: string
  readonly synopsis: string
  /** Paragraphs. */
  readonly description: readonly string[]
  readonly options: readonly ProgramOption[]
  readonly sections?: readonly { readonly title: string; readonly entries: readonly ManualEntry[] }[]
}

/** The page in troff, section 1. */
export function manPage(manual: Manual): string {
  const { name, version, summary, synopsis, description, options, sections = [] } = manual
  return [
    `.TH "${escaped(name).toUpperCase()}" 1 "" "Blocklayer ${escaped(version)}"`,
    '.SH NAME',
    `${escaped(name)} \\- ${escaped(summary)}`,
    '.SH SYNOPSIS',
    `.B ${escaped(name)}`,
    escaped(synopsis),
    '.SH DESCRIPTION',
    ...description.flatMap((paragraph) => ['.PP', escaped(paragraph)]),
    '.SH OPTIONS',
    ...options.flatMap((option) => entryLines({ head: optionHead(option), text: option.text })),
    ...sections.flatMap(({ title, entries }) => [
      `.SH ${escaped(title.toUpperCase())}`,
      ...entries.flatMap(entryLines),
    ]),
    '',
  ].join('\n')
}

function entryLines({ head, text, options = [] }: ManualEntry): string[] {
  const inner = options.flatMap((option) => ['.TP', `.B ${escaped(option.head)}`, escaped(option.text)])
  return ['.TP', `.B ${escaped(head)}`, escaped(text), ...(inner.length > 0 ? ['.RS', ...inner, '.RE'] : [])]
}

/**
 * Text as troff reads it: a backslash, a dash, and a dot or quote that begins a line mean something there; what is not
 * ASCII has no meaning at all.
 */
function escaped(text: string): string {
  const plain = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/gm, '\\&$&')
  return plain.replace(/[^\0-\x7f]/gu, (char) => `\\[u${hex(char.codePointAt(0) ?? 0)}]`)
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0')
}
