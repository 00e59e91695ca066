/** File names with and without the prefix `file:`. */

import { realpathSync } from 'node:fs'

const prefix = 'file:'

/**
 * A path from a file name as users write it. The prefix goes once; what then looks like another protocol's name is
 * marked as a path, so that the name still means this file when somebody reads it again.
 */
export function parseFileName(filename: string): string {
  if (!filename.startsWith(prefix)) return filename
  const path = filename.slice(prefix.length)
  return hasProtocol(path) ? `./${path}` : path
}

/** A path from a device's name as users write it: the prefix `<protocol>:` goes once. */
export function withoutPrefix(filename: string, protocol: string): string {
  return filename.startsWith(`${protocol}:`) ? filename.slice(protocol.length + 1) : filename
}

/** The first of `:` and `/` is a `:`. */
function hasProtocol(path: string): boolean {
  return /^[^:/]*:/.test(path)
}

/**
 * The one text for all spellings of an existing file: absolute, without links, `.` and `..`.
 *
 * @param filename - a path
 * @returns `undefined` where no such file can be reached, whatever the reason: it then is nobody's file
 */
export function canonicalPath(filename: string): string | undefined {
  try {
    return realpathSync.native(filename)
  } catch (error) {
    if ((error as { code?: unknown }).code === undefined) throw error
    return undefined
  }
}
