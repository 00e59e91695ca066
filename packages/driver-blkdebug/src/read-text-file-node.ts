/** Reads a rules file where there are files. */

import { BlockError, isErrno } from '@blocklayer/block-core/driver'

/**
 * The text of the rules file `filename`, relative to the process's folder.
 *
 * @throws BlockError `Could not read blkdebug config file: …`, or `Cannot read config file: …` where it opens only
 */
export async function readTextFile(filename: string): Promise<string> {
  // Few need it, and it takes long to load.
  const { open } = process.getBuiltinModule('node:fs/promises')
  try {
    await using file = await open(filename, 'r')
    return await readAll(file)
  } catch (error) {
    throw asBlockError(error, 'Could not read blkdebug config file')
  }
}

async function readAll(file: { readFile(encoding: 'utf8'): Promise<string> }): Promise<string> {
  try {
    return await file.readFile('utf8')
  } catch (error) {
    throw asBlockError(error, 'Cannot read config file')
  }
}

function asBlockError(error: unknown, words: string): unknown {
  if (error instanceof BlockError) return error
  const { code } = error as { code?: unknown }
  return isErrno(code) ? BlockError.withErrno(code, words, { cause: error }) : error
}
