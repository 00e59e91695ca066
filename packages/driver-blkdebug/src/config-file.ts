/** The rules file: sections, keys and quoted values, with every quirk of the reference's line scanner. */

import { BlockError, type FlatOptions } from '@blocklayer/block-core/driver'
import { parseRule, type RuleKind, type RuleText } from './rule-options.ts'

/** Longest piece of a line that is looked at as one. */
const lineLength = 1023

/** A word takes all it can: what follows is looked at after it, never by shortening it. */
const word = /^\s*(\S{1,63})/

/** After a header's word: a quoted identifier. What follows it is ignored. */
const identifier = /^\s*"([^"]{1,63})/

/** A header without an identifier; without its bracket the line's end belongs to the name. */
const plainHeader = /^\[([^\]]{1,63})/

/** After a key: its value. The closing quote may be missing, and what follows it is ignored. */
const assignment = /^\s*=\s*"([^"]{1,1023})/

interface Section {
  readonly name: string
  readonly id: string | undefined
  readonly values: FlatOptions
}

/**
 * The rules of a file, in its order.
 *
 * @throws BlockError `EINVAL` with the reference's messages, at the first line or section that is wrong
 * @see spec/blkdebug.md, section 4
 */
export function parseConfig(text: string): readonly RuleText[] {
  const rules: RuleText[] = []
  const ids = new Set<string>()
  let section: Section | undefined
  let lastName: string | undefined
  // A section is only looked at when it is complete: at the next header, or at the end.
  const finish = (): void => {
    if (section !== undefined) rules.push(parseSection(section, ids))
  }
  for (const line of linesOf(text)) {
    if (line === '\n' || line.startsWith('#')) continue
    const next = parseHeader(line)
    if (next !== undefined) finish()
    else addValue(section, line)
    section = next ?? section
    // The reference looks for a name and an identifier, and keeps the name even where it then finds no header (`[]`).
    // Only the last section is known by what it kept.
    if (line.startsWith('[')) lastName = next?.name ?? word.exec(line.slice(1))?.[1] ?? lastName
  }
  if (section !== undefined) section = { ...section, name: lastName ?? section.name }
  finish()
  return rules
}

/** Lines with their ends; long ones in pieces, as they come out of the reference's buffer. */
function* linesOf(text: string): Generator<string> {
  for (const line of text.split(/(?<=\n)/)) {
    for (let at = 0; at < line.length; at += lineLength) yield line.slice(at, at + lineLength)
  }
}

function parseHeader(line: string): Section | undefined {
  if (!line.startsWith('[')) return undefined
  const values: FlatOptions = new Map()
  const [name, id] = wordAnd(identifier, line.slice(1))
  if (name !== undefined && id !== undefined) return { name, id, values }
  const plain = plainHeader.exec(line)?.[1]
  return plain === undefined ? undefined : { name: plain, id: undefined, values }
}

function addValue(section: Section | undefined, line: string): void {
  // A key without a value that can be read has an empty one.
  const [key, value = ''] = wordAnd(assignment, line)
  if (key === undefined) throw new BlockError('EINVAL', 'parse error')
  if (section === undefined) throw new BlockError('EINVAL', 'no group defined')
  section.values.set(key, value)
}

/** The first word of `text`, and what `rest` finds directly behind it. */
function wordAnd(rest: RegExp, text: string): [string | undefined, string | undefined] {
  const first = word.exec(text)
  if (first === null) return [undefined, undefined]
  return [first[1], rest.exec(text.slice(first[0].length))?.[1]]
}

function parseSection(section: Section, ids: Set<string>): RuleText {
  const { name } = section
  if (!isRuleKind(name)) throw new BlockError('EINVAL', `There is no option group '${name}'`)
  const values: FlatOptions = new Map(section.values)
  const inner = values.get('id')
  values.delete('id')
  const id = inner === undefined ? section.id : String(inner)
  if (id !== undefined) takeId(name, id, ids)
  return parseRule(name, values)
}

function isRuleKind(name: string): name is RuleKind {
  return name === 'inject-error' || name === 'set-state'
}

function takeId(kind: RuleKind, id: string, ids: Set<string>): void {
  if (!/^[a-zA-Z][a-zA-Z0-9._-]*$/.test(id)) {
    throw new BlockError('EINVAL', "Parameter 'id' expects an identifier", {
      hint: "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.",
    })
  }
  const key = `${kind} ${id}`
  if (ids.has(key)) throw new BlockError('EINVAL', `Duplicate ID '${id}' for ${kind}`)
  ids.add(key)
}
