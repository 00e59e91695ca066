/** File names as text: protocol prefixes, and relative names beside another file. */

import { BlockError } from '../errors.ts'

/**
 * The protocol prefix of `filename` (`nbd` of `nbd://host/x`), or `undefined` for a plain path: a prefix is there if the
 * first of `:` and `/` is a `:`.
 *
 * @see QEMU 7.2 block.c: path_has_protocol
 */
export function protocolPrefix(filename: string): string | undefined {
  const end = filename.search(/[:/]/)
  return end >= 0 && filename[end] === ':' ? filename.slice(0, end) : undefined
}

/** Whether `path` is absolute; a protocol prefix is looked through (`file:/x` is absolute). */
export function isAbsolutePath(path: string): boolean {
  const prefix = protocolPrefix(path)
  return path.startsWith('/', prefix === undefined ? 0 : prefix.length + 1)
}

/**
 * `relative` as seen from the file `base`: an absolute name stays, otherwise everything of `base` up to its last `/` is
 * put in front (at least a protocol prefix). Text only, no symbolic links are followed.
 *
 * @see QEMU 7.2 block.c: path_combine
 */
export function combinePaths(base: string, relative: string): string {
  if (isAbsolutePath(relative)) return relative
  const prefix = protocolPrefix(base)
  const protocolEnd = prefix === undefined ? 0 : prefix.length + 1
  const directoryEnd = base.lastIndexOf('/') + 1
  return base.slice(0, Math.max(protocolEnd, directoryEnd)) + relative
}

/**
 * The backing file name `recorded` in an image, as it is opened: names with a protocol prefix and absolute names as they
 * are, relative ones beside the image.
 *
 * @param imageName - the image's own plain file name; empty or `json:…` where it has none
 * @throws BlockError `EINVAL` `Cannot use relative backing file names for '<imageName>'`
 */
export function resolveBackingName(imageName: string, recorded: string): string {
  if (recorded === '' || protocolPrefix(recorded) !== undefined || isAbsolutePath(recorded)) return recorded
  if (imageName === '' || imageName.startsWith('json:')) {
    throw new BlockError('EINVAL', `Cannot use relative backing file names for '${imageName}'`)
  }
  return combinePaths(imageName, recorded)
}

/**
 * What the `file` protocol makes of `filename`: the prefix `file:` is taken off once. The rest gets `./` in front where
 * it would look like a protocol itself, so that the name can be given again.
 */
export function stripFilePrefix(filename: string): string {
  if (!filename.startsWith('file:')) return filename
  const rest = filename.slice('file:'.length)
  return protocolPrefix(rest) === undefined ? rest : `./${rest}`
}
