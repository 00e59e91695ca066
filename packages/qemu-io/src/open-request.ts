/** What `open` asks for, on the command line of the program as among its commands. */

import type { FlatOptions } from '@blocklayer/block-core'
import { CommandFailure } from './failure.ts'

/** How the host's files are read and written. */
export type AioChoice = 'threads' | 'native' | 'io_uring'

/** What a cache mode means for an open node. */
export interface CacheMode {
  /** Bypass the host's page cache. */
  readonly direct: boolean
  /** Flushes may be left out. */
  readonly noFlush: boolean
  /** Every write is durable when it returns. */
  readonly writeThrough: boolean
}

/** An image, and how it is to be opened. */
export interface OpenRequest {
  /** As typed; absent where options alone say what it is. */
  readonly path?: string | undefined
  /** Of the node and its children. */
  readonly options?: FlatOptions | undefined
  readonly format?: string | undefined
  readonly readOnly: boolean
  /** Writes go to a temporary overlay. */
  readonly snapshot: boolean
  readonly copyOnRead: boolean
  readonly forceShare: boolean
  readonly unmap: boolean
  readonly cache: CacheMode
  readonly aio?: AioChoice | undefined
}

const cacheModes: Readonly<Record<string, CacheMode>> = {
  none: { direct: true, noFlush: false, writeThrough: false },
  off: { direct: true, noFlush: false, writeThrough: false },
  directsync: { direct: true, noFlush: false, writeThrough: true },
  writeback: { direct: false, noFlush: false, writeThrough: false },
  unsafe: { direct: false, noFlush: true, writeThrough: false },
  writethrough: { direct: false, noFlush: false, writeThrough: true },
}

/** Words that `-t` takes. */
export const cacheModeNames: readonly string[] = Object.keys(cacheModes)

/** Words that `-d` takes. */
export const discardModeNames: readonly string[] = ['off', 'ignore', 'on', 'unmap']

/** Words that `-i` takes. */
export const aioNames: readonly AioChoice[] = ['threads', 'native', 'io_uring']

/** The mode called `name`, case-sensitive. @throws CommandFailure `Invalid cache option: <name>` */
export function parseCacheMode(name: string): CacheMode {
  const mode = Object.hasOwn(cacheModes, name) ? cacheModes[name] : undefined
  if (mode === undefined) throw new CommandFailure({ told: `Invalid cache option: ${name}` })
  return mode
}

/** Whether discards are passed on. @throws CommandFailure `Invalid discard option: <name>` */
export function parseDiscardMode(name: string): boolean {
  if (name === 'on' || name === 'unmap') return true
  if (name === 'off' || name === 'ignore') return false
  throw new CommandFailure({ told: `Invalid discard option: ${name}` })
}

/** @throws CommandFailure `Invalid aio option: <name>` */
export function parseAio(name: string): AioChoice {
  const found = aioNames.find((known) => known === name)
  if (found === undefined) throw new CommandFailure({ told: `Invalid aio option: ${name}` })
  return found
}

/** A request under construction; letters mean the same for the program and for its `open`. */
export class OpenSettings {
  #readOnly = false
  #snapshot = false
  #copyOnRead = false
  #forceShare = false
  #unmap = true
  // Every write is durable at once unless somebody says otherwise.
  #cache: CacheMode = { direct: false, noFlush: false, writeThrough: true }
  #aio: AioChoice | undefined

  /** Takes one option. @returns false for a letter that is none of these. @throws CommandFailure for a wrong value */
  take(letter: string, value: string): boolean {
    if (letter === 'r') this.#readOnly = true
    else if (letter === 's') this.#snapshot = true
    else if (letter === 'C') this.#copyOnRead = true
    else if (letter === 'U') this.#forceShare = true
    // Like `-t none`, and any later `-t` replaces it.
    else if (letter === 'n') this.#cache = parseCacheMode('none')
    else if (letter === 't') this.#cache = parseCacheMode(value)
    else if (letter === 'd') this.#unmap = parseDiscardMode(value)
    else if (letter === 'k') this.#aio = 'native'
    else if (letter === 'i') this.#aio = parseAio(value)
    else return false
    return true
  }

  /**
   * The request for an image.
   *
   * @throws CommandFailure `-U conflicts with image options`
   */
  request(image: Pick<OpenRequest, 'path' | 'options' | 'format'>): OpenRequest {
    const share = image.options?.get('force-share')
    if (this.#forceShare && share !== undefined && share !== 'on') {
      throw new CommandFailure({ told: '-U conflicts with image options' })
    }
    return {
      ...image,
      readOnly: this.#readOnly,
      snapshot: this.#snapshot,
      copyOnRead: this.#copyOnRead,
      forceShare: this.#forceShare,
      unmap: this.#unmap,
      cache: this.#cache,
      aio: this.#aio,
    }
  }
}
