/** Compiled code on disk. Whatever goes wrong here costs time and nothing else, so that no program ever hears of it. */

import {
  closeSync,
  constants,
  fstatSync,
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
import { isOwn, isTrusted, makeFolder } from './cache-folder.ts'

/** A file of compiled code. */
export interface CodePlace {
  readonly folder: string
  readonly file: string
}

/** Files are deleted so long after they were written. */
const ageMax = 30 * 24 * 3600 * 1000

/** Before the code stands its checksum: V8 takes code with a flipped bit for good. */
const headBytes = 4

/** What an earlier run has left; `undefined` where there is nothing that may be used. */
export function readCode({ folder, file }: CodePlace): Uint8Array | undefined {
  const bytes = unlessItFails(() => (isTrusted(folder) ? readOwn(join(folder, file)) : undefined))
  if (bytes === undefined || bytes.length < headBytes) return undefined
  const code = bytes.subarray(headBytes)
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === checksum(code) ? code : undefined
}

/** The file that is open is looked at, and not what its name leads to by then. */
function readOwn(path: string): Uint8Array | undefined {
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    return isOwn(fstatSync(fd)) ? readFileSync(fd) : undefined
  } finally {
    closeSync(fd)
  }
}

/** One of our own functions, since loading Node's takes longer: each word's change changes the sum. */
function checksum(code: Uint8Array): number {
  const start = code.byteOffset
  // In the order of this machine's bytes, as the compiled code is: no other one reads it.
  const words = new Int32Array(
    start % 4 === 0 ? code.buffer : code.slice().buffer,
    start % 4 === 0 ? start : 0,
    code.length >> 2,
  )
  let sum = code.length
  for (let at = 0; at < words.length; at++) sum = Math.imul(sum ^ words[at]!, 0x01000193)
  for (let at = words.length * 4; at < code.length; at++) sum = Math.imul(sum ^ code[at]!, 0x01000193)
  return sum >>> 0
}

/** Keeps what `compile` gives, and lets go of what is old. @param program - whose old files those are */
export function writeCode({ folder, file }: CodePlace, program: string, compile: () => Uint8Array): void {
  unlessItFails(() => {
    if (!makeFolder(folder)) return
    removeOld(folder, program)
    const code = compile()
    const bytes = new Uint8Array(headBytes + code.length)
    new DataView(bytes.buffer).setUint32(0, checksum(code))
    bytes.set(code, headBytes)
    writeWhole(join(folder, file), bytes)
  })
}

function removeOld(folder: string, program: string): void {
  const oldest = Date.now() - ageMax
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${program}-`)) continue
    const path = join(folder, name)
    if (statSync(path).mtimeMs < oldest) rmSync(path)
  }
}

/** The file is there whole or not at all, after a power cut too: half of it would pass for compiled code. */
function writeWhole(path: string, data: Uint8Array): void {
  const temporary = `${path}.${process.pid}.${Date.now()}`
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
