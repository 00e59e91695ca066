/** Help in lines, made from the table of commands. */

import type { CommandOption } from './syntax.ts'

/** Letters in a line; a terminal has two more than the help's indent leaves. */
const lineMax = 78

/** `text` in lines, broken at blanks. */
export function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= lineMax) {
      lines.push(line)
      line = ''
    }
    line += line === '' ? word : ` ${word}`
  }
  return [...lines, line]
}

/** One line for each option: its letter, its value and what it does. */
export function optionLines(options: readonly CommandOption[]): string[] {
  const heads = options.map(({ letter, value }) => (value === undefined ? `-${letter}` : `-${letter} ${value}`))
  const width = Math.max(0, ...heads.map((head) => head.length))
  return options.map(({ text }, i) => `${(heads[i] ?? '').padEnd(width)} -- ${text}`)
}
