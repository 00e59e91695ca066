/** The published JSON schemas: one for the result of each command, and one for the lines on standard error. */

import { readFileSync } from 'node:fs'

/** Names of the schemas: the commands, and `events`. */
export const schemaNames = [
  'amend',
  'bench',
  'bitmap',
  'check',
  'commit',
  'compare',
  'convert',
  'create',
  'dd',
  'events',
  'info',
  'map',
  'measure',
  'rebase',
  'resize',
  'snapshot',
] as const

/** The text of a schema; `undefined` where there is none of that name. */
export function schemaText(name: string): string | undefined {
  if (!schemaNames.some((known) => known === name)) return undefined
  // From the sources and from the bundle alike.
  return readFileSync(new URL(`../schemas/${name}.schema.json`, import.meta.url), 'utf8')
}
