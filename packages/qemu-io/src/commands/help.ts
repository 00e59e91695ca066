/** `help`: all commands, or one in full. */

import type { Command } from '../command.ts'
import { complain } from '../failure.ts'
import { optionLines, wrapped } from '../help-text.ts'
import { usageLine } from '../syntax.ts'

/**
 * `help [command]`
 *
 * @param all - the table that this command is a row of
 */
export function helpCommand(all: () => readonly Command[]): Command {
  return {
    name: 'help',
    alias: '?',
    synopsis: '[command]',
    summary: 'help for one or all commands',
    wordsMin: 0,
    wordsMax: 1,
    withoutImage: true,
    run(session, { words: [name] }) {
      session.out(name === undefined ? overview(all()) : helpFor(all(), name))
      return true
    },
  }
}

function overview(all: readonly Command[]): string {
  const lines = all.map((command) => usageLine(command)).join('')
  return `${lines}\nUse 'help commandname' for extended help.\n`
}

function helpFor(all: readonly Command[], name: string): string {
  const command = all.find((candidate) => candidate.name === name || candidate.alias === name)
  if (command === undefined) throw complain(`command ${name} not found`)
  const { details, options = [] } = command
  const more = [...(details === undefined ? [] : wrapped(details)), ...optionLines(options)]
  const text = more.map((line) => ` ${line}\n`).join('')
  return usageLine(command, name) + (text === '' ? '' : `\n${text}\n`)
}
