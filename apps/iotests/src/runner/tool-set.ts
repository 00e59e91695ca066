/** The implementation under test: how its two programs are started. */

import { existsSync } from 'node:fs'
import { basename, delimiter, join, resolve } from 'node:path'
import type { Program } from '../filters/for-command.ts'
import { appFolder } from './app-folder.ts'

/** One program: the command and its first arguments. */
export type Command = readonly [string, ...string[]]

/** The two programs of one implementation. */
export interface ToolSet {
  /** `ours`, `reference`, or what the user named. */
  readonly name: string
  readonly commands: Readonly<Record<Program, Command>>
}

/** What the command line says about tools. */
export interface ToolChoice {
  /** `ours`, `reference`, or a folder with a `qemu-img` and a `qemu-io` in it. */
  readonly tools?: string | undefined
  /** Each replaces one program: a command and its first arguments, separated by blanks. */
  readonly qemuImg?: string | undefined
  readonly qemuIo?: string | undefined
}

/** A choice that names no tools: its message is for the user. */
export class ToolChoiceError extends Error {
  override readonly name = 'ToolChoiceError'
}

/**
 * The tools that are meant.
 *
 * @throws ToolChoiceError for a folder without the programs, for an own program that is not built, and for a missing
 *   reference
 */
export function chooseTools(choice: ToolChoice): ToolSet {
  const given: { [program in Program]?: Command } = {}
  if (choice.qemuImg !== undefined) given['qemu-img'] = splitCommand(choice.qemuImg, '--qemu-img')
  if (choice.qemuIo !== undefined) given['qemu-io'] = splitCommand(choice.qemuIo, '--qemu-io')
  // Two commands are a whole implementation by themselves: nothing else then has to be there.
  const whole = given['qemu-img'] !== undefined && given['qemu-io'] !== undefined
  const base = choice.tools ?? (whole ? 'given' : 'ours')
  const pick = (program: Program): Command => given[program] ?? programOf(base, program)
  const replaced = Object.keys(given)
  const name = whole || replaced.length === 0 ? base : `${base} with ${replaced.join(' and ')} given`
  return { name: whole ? 'given' : name, commands: { 'qemu-img': pick('qemu-img'), 'qemu-io': pick('qemu-io') } }
}

/** What a program calls itself in messages: the last part of the script or program that is run. */
export function programNameOf(command: Command): string {
  const [program, ...first] = command
  const script = /^node(\.exe)?$/.test(basename(program)) ? first.find((word) => !word.startsWith('-')) : undefined
  return basename(script ?? program)
}

function programOf(base: string, program: Program): Command {
  if (base === 'ours') return ownProgram(program)
  if (base === 'reference') return [inPath(program)]
  const path = join(resolve(base), program)
  if (!existsSync(path)) throw new ToolChoiceError(`No ${program} in '${base}'`)
  return [path]
}

/** Our builds, beside this app. */
function ownProgram(program: Program): Command {
  const path = join(appFolder, `../${program}-cli/dist/${program}.js`)
  if (!existsSync(path)) throw new ToolChoiceError(`Our ${program} is not built (${path}): run 'pnpm run build' first`)
  return [process.execPath, path]
}

function inPath(program: Program): string {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const found = folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
  if (found === undefined) throw new ToolChoiceError(`The reference's ${program} is not installed`)
  return found
}

function splitCommand(text: string, option: string): Command {
  // Tests run in folders of their own: what is a path from here must stay one.
  const absolute = (word: string): string => (word.includes('/') && existsSync(word) ? resolve(word) : word)
  const [program, ...first] = text
    .split(' ')
    .filter((word) => word !== '')
    .map(absolute)
  if (program === undefined) throw new ToolChoiceError(`${option} needs a command`)
  return [program, ...first]
}
