/** `open` and `close`: another image in the same session. */

import { type FlatOptions, parseKeyValue } from '@blocklayer/block-core'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { complain } from '../failure.ts'
import { aioNames, cacheModeNames, discardModeNames, OpenSettings } from '../open-request.ts'
import type { Session } from '../session.ts'

/** `open [-rsCnkU] [-t cache] [-d discard] [-o options] [path]` */
export const openCommand: Command = {
  name: 'open',
  alias: 'o',
  synopsis: '[-rsCnkU] [-t cache] [-d discard] [-o options] [path]',
  summary: 'open the file specified by path',
  details: "'open -n -o driver=raw /tmp/data' opens a raw file for writing, past the page cache.",
  options: [
    { letter: 'r', text: 'open read-only' },
    { letter: 's', text: 'write to a temporary overlay' },
    { letter: 'C', text: 'copy into the image what is read from its backing file' },
    { letter: 'n', text: 'bypass the page cache, like -t none' },
    { letter: 'U', text: 'let others write meanwhile; only with -r' },
    { letter: 'k', text: 'like -i native' },
    { letter: 'i', value: 'aio', choices: aioNames, text: 'how files are read and written' },
    { letter: 't', value: 'cache', choices: cacheModeNames, text: 'cache mode' },
    { letter: 'd', value: 'discard', choices: discardModeNames, text: 'whether discards are passed on' },
    { letter: 'o', value: 'options', text: 'options of the block driver: name=value,name=value' },
  ],
  wordsMin: 1,
  withoutImage: true,
  run: runOpen,
}

/** `close` */
export const closeCommand: Command = {
  name: 'close',
  alias: 'c',
  summary: 'close the current open file',
  wordsMin: 0,
  wordsMax: 0,
  async run(session) {
    await session.close()
    return true
  },
}

/** Options as `-o` takes them, with warnings about words that stand alone. */
export function parseOptions(session: Session, text: string): FlatOptions {
  return parseKeyValue(text, { onDeprecated: (message) => session.warn(message) })
}

async function runOpen(session: Session, args: Arguments): Promise<boolean> {
  const settings = new OpenSettings()
  let options: FlatOptions | undefined
  for (const { letter, value } of args.options()) {
    if (letter === 'o') {
      if (session.imageOpts) throw complain("--image-opts and 'open -o' are mutually exclusive")
      options = new Map([...(options ?? []), ...parseOptions(session, value)])
    } else settings.take(letter, value)
  }
  const [path, ...more] = args.operands
  if (path !== undefined && more.length === 0 && session.imageOpts) {
    await session.open(settings.request({ options: parseOptions(session, path) }))
    return true
  }
  if (more.length > 0) throw args.usage()
  await session.open(settings.request({ path, options }))
  return true
}
