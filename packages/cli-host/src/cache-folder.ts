/** Where compiled code is kept: in a folder that nobody else can write, since what lies there is executed. */

import { lstatSync, mkdirSync, type Stats } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** The environment as far as it matters here. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The folder that the environment asks for; `undefined` where it wants none. It need not exist. */
export function cacheFolder(environment: Environment): string | undefined {
  if (environment.NODE_DISABLE_COMPILE_CACHE !== undefined) return undefined
  const { XDG_CACHE_HOME: cache = '', LOCALAPPDATA: local = '', HOME: home = '' } = environment
  // As the base directory specification has it: a relative path counts for nothing.
  const base = [cache, local, home === '' ? '' : join(home, '.cache')].find((path) => isAbsolute(path))
  return base === undefined ? undefined : join(base, 'blocklayer')
}

/** Whether the folder is the user's own and writable by nobody else. */
export function isTrusted(folder: string): boolean {
  const stats = lstatSync(folder, { throwIfNoEntry: false })
  return stats?.isDirectory() === true && isOwn(stats)
}

/** Whether what `stats` is about is the user's, and nobody else can write it; unknown on systems without owners. */
export function isOwn({ uid, mode }: Pick<Stats, 'uid' | 'mode'>): boolean {
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0)
}

/**
 * Makes the folder where it is missing.
 *
 * @returns whether it may be used
 * @throws what the system reports
 */
export function makeFolder(folder: string): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return isTrusted(folder)
}
