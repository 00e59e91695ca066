/** Cache modes of `-t` and `-T`. */

/** What a cache mode means for an open node. */
export interface CacheMode {
  /** Bypass the host's page cache. */
  readonly direct: boolean
  /** Flushes may be left out. */
  readonly noFlush: boolean
  /** Every write is durable when it returns. */
  readonly writethrough: boolean
}

const modes: Readonly<Record<string, CacheMode>> = {
  none: { direct: true, noFlush: false, writethrough: false },
  off: { direct: true, noFlush: false, writethrough: false },
  directsync: { direct: true, noFlush: false, writethrough: true },
  writeback: { direct: false, noFlush: false, writethrough: false },
  unsafe: { direct: false, noFlush: true, writethrough: false },
  writethrough: { direct: false, noFlush: false, writethrough: true },
}

/** The default nearly everywhere: the page cache, with flushes honoured. */
export const writeback: CacheMode = { direct: false, noFlush: false, writethrough: false }

/**
 * The mode called `name`, case-sensitive; `undefined` for an unknown one.
 *
 * @see QEMU 7.2 block.c: bdrv_parse_cache_mode
 */
export function cacheMode(name: string): CacheMode | undefined {
  return Object.hasOwn(modes, name) ? modes[name] : undefined
}
