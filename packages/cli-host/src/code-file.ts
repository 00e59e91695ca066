/** Compiled code on disk. Whatever goes wrong here costs time and nothing else, so that no program ever hears of it. */

import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { isTrusted, makeFolder } from './cache-folder.ts'

/** A file of compiled code. */
export interface CodePlace {
  readonly folder: string
  readonly file: string
}

/** Files are deleted so long after they were written. */
const ageMax = 30 * 24 * 3600 * 1000

/** What an earlier run has left; `undefined` where there is nothing that may be used. */
export function readCode({ folder, file }: CodePlace): Uint8Array | undefined {
  return unlessItFails(() => (isTrusted(folder) ? readFileSync(join(folder, file)) : undefined))
}

/** Keeps what `compile` gives, and lets go of what is old. @param program - whose old files those are */
export function writeCode({ folder, file }: CodePlace, program: string, compile: () => Uint8Array): void {
  unlessItFails(() => {
    if (!makeFolder(folder)) return
    writeWhole(join(folder, file), compile())
    const oldest = Date.now() - ageMax
    for (const name of readdirSync(folder)) {
      if (!name.startsWith(`${program}-`)) continue
      const path = join(folder, name)
      if (statSync(path).mtimeMs < oldest) rmSync(path)
    }
  })
}

/** The file is there whole or not at all, after a power cut too: half of it would pass for compiled code. */
function writeWhole(path: string, data: Uint8Array): void {
  const temporary = `${path}.${process.pid}`
  const fd = openSync(temporary, 'wx', 0o600)
  try {
    writeFileSync(fd, data)
    fsyncSync(fd)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

/** The system's refusals (no room, no permission, no such file) mean that there is no cache. */
function unlessItFails<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if ((error as { syscall?: unknown }).syscall === undefined) throw error
    return undefined
  }
}
