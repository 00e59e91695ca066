/** `reopen`: other options for the image that is open; what is not spoken of stays as it is. */

import { type BlockBackend, type FlatOptions, Permissions } from '@blocklayer/block-core'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { CommandFailure } from '../failure.ts'
import { type CacheMode, cacheModeNames, parseCacheMode } from '../open-request.ts'
import type { Session } from '../session.ts'
import { parseOptions } from './open-close.ts'
import { openImageOf } from './shared.ts'

/** `reopen [(-r|-w)] [-c cache] [-o options]` */
export const reopenCommand: Command = {
  name: 'reopen',
  synopsis: '[(-r|-w)] [-c cache] [-o options]',
  summary: 'reopens an image with new options',
  details: "'reopen -o lazy-refcounts=on' turns lazy refcounts of a qcow2 image on. What is not given stays as it is.",
  options: [
    { letter: 'r', text: 'read-only from now on' },
    { letter: 'w', text: 'writable from now on' },
    { letter: 'c', value: 'cache', choices: cacheModeNames, text: 'cache mode' },
    { letter: 'o', value: 'options', text: 'options of the block driver: name=value,name=value' },
  ],
  wordsMin: 0,
  run: runReopen,
}

interface ReopenOptions {
  readonly mode: 'r' | 'w' | undefined
  readonly cache: CacheMode | undefined
  readonly options: FlatOptions
}

async function runReopen(session: Session, args: Arguments): Promise<boolean> {
  const given = reopenOptions(session, args)
  if (args.operands.length > 0) throw args.usage()
  const { backend, graph } = openImageOf(session)
  if (graph === undefined) throw new CommandFailure({ told: 'The image was opened elsewhere: it cannot be reopened' })
  // Nobody may write a node that is about to become read-only.
  if (given.mode === 'r') giveUpWriting(backend)
  const options = joined(given)
  await session.outstanding.during(() => graph.reopen([{ node: backend.root, options, keepOld: true }]))
  if (given.cache !== undefined) backend.writeThrough = given.cache.writeThrough
  return true
}

function reopenOptions(session: Session, args: Arguments): ReopenOptions {
  let mode: 'r' | 'w' | undefined
  let cache: CacheMode | undefined
  let options: FlatOptions = new Map()
  for (const { letter, value } of args.options()) {
    if (letter === 'c') cache = parseCacheMode(value)
    else if (letter === 'o') options = new Map([...options, ...parseOptions(session, value)])
    else if (mode !== undefined) throw new CommandFailure({ told: 'Only one -r/-w option may be given' })
    else mode = letter === 'r' ? 'r' : 'w'
  }
  return { mode, cache, options }
}

function joined({ mode, cache, options }: ReopenOptions): FlatOptions {
  const all: FlatOptions = new Map(options)
  if (mode !== undefined) {
    if (options.has('read-only')) throw new CommandFailure({ told: "Cannot set both -r/-w and 'read-only'" })
    all.set('read-only', mode === 'r')
  }
  if (cache !== undefined) {
    if (options.has('cache.direct') || options.has('cache.no-flush')) {
      throw new CommandFailure({ told: 'Cannot set both -c and the cache options' })
    }
    all.set('cache.direct', cache.direct)
    all.set('cache.no-flush', cache.noFlush)
  }
  return all
}

function giveUpWriting(backend: BlockBackend): void {
  const { taken, shared } = backend.permissions
  backend.setPermissions({ taken: taken & ~(Permissions.write | Permissions.writeUnchanged), shared })
}
