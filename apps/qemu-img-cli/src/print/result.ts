/** What a command did: text for people, or with `--output json` one JSON object, to the schema that it names. */

import { type JsonValue, toQemuJson } from '@blocklayer/block-core'
import type { CommandContext } from '../context.ts'

/** Prints text for people; nothing where the result is for programs. */
export function say({ presentation, out }: Pick<CommandContext, 'presentation' | 'out'>, text: string): void {
  if (presentation.output === 'human') out(text)
}

/**
 * Prints the result for programs, if they asked for it.
 *
 * @param command - whose schema it follows: `schemas/<command>.schema.json`
 */
export function printResult(
  { presentation, out }: Pick<CommandContext, 'presentation' | 'out'>,
  command: string,
  members: { readonly [key: string]: JsonValue | undefined },
): void {
  if (presentation.output === 'human') return
  out(`${toQemuJson({ schema: schemaId(command), ...members }, { pretty: true })}\n`)
}

/** Name of a schema, with the version: what a program was written for stays true as long as the number stays. */
export function schemaId(name: string): string {
  return `urn:blocklayer:qemu-img:${name}:1`
}
