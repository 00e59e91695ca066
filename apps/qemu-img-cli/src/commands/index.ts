/** The subcommands by name; each is loaded when it is called. */

import type { Command } from './command.ts'

/** In the order of the reference's help. */
const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  amend: async () => (await import('./amend.ts')).amendCommand,
  bench: async () => (await import('./bench.ts')).benchCommand,
  bitmap: async () => (await import('./bitmap.ts')).bitmapCommand,
  check: async () => (await import('./check.ts')).checkCommand,
  commit: async () => (await import('./commit.ts')).commitCommand,
  compare: async () => (await import('./compare.ts')).compareCommand,
  convert: async () => (await import('./convert/command.ts')).convertCommand,
  create: async () => (await import('./create.ts')).createCommand,
  dd: async () => (await import('./dd.ts')).ddCommand,
  info: async () => (await import('./info.ts')).infoCommand,
  map: async () => (await import('./map.ts')).mapCommand,
  measure: async () => (await import('./measure.ts')).measureCommand,
  snapshot: async () => (await import('./snapshot.ts')).snapshotCommand,
  rebase: async () => (await import('./rebase.ts')).rebaseCommand,
  resize: async () => (await import('./resize.ts')).resizeCommand,
}

/**
 * The command called `name`, matched exactly.
 *
 * @returns `undefined` for a word that is no command
 */
export async function loadCommand(name: string): Promise<Command | undefined> {
  if (!Object.hasOwn(loaders, name)) return undefined
  return loaders[name]?.()
}
