/** File names with and without the prefix `file:`. */

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

/** The first of `:` and `/` is a `:`. */
function hasProtocol(path: string): boolean {
  return /^[^:/]*:/.test(path)
}
