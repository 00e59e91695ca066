/** Finds out which processes hold a lock: open file description locks do not name their owner, but /proc does. */

import { fstatSync, readFileSync, readdirSync, statSync, type BigIntStats } from 'node:fs'

/** A process that has locked a byte. */
export interface LockHolder {
  readonly pid: number
  /** The program's name as the kernel keeps it, at most 15 characters. */
  readonly command: string
}

/** After so many descriptors the search ends: who waits for a lock asks often, and a host may run thousands of programs. */
const descriptorsMax = 20_000

/**
 * Processes that hold an open file description lock on a byte of the file behind `fd`, by their number; only those that
 * we may look into, and none where there is no `/proc`. This process is listed where another descriptor of it has the lock.
 *
 * @see proc(5), /proc/pid/fdinfo, "lock:"
 */
export function lockHolders(fd: number, byte: number): readonly LockHolder[] {
  const file = fstatSync(fd, { bigint: true })
  const holders: LockHolder[] = []
  let left = descriptorsMax
  for (const name of attempt(() => readdirSync('/proc')) ?? []) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || left <= 0) continue
    const descriptors = attempt(() => readdirSync(`/proc/${pid}/fdinfo`)) ?? []
    left -= descriptors.length
    const others = pid === process.pid ? descriptors.filter((other) => Number(other) !== fd) : descriptors
    if (others.some((other) => holds(pid, other, file, byte))) holders.push({ pid, command: commandOf(pid) })
  }
  return holders.sort((a, b) => a.pid - b.pid)
}

function holds(pid: number, descriptor: string, file: BigIntStats, byte: number): boolean {
  const info = attempt(() => readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'latin1'))
  if (info === undefined || !lockedBytes(info, file.ino).some(([start, end]) => start <= byte && byte <= end)) {
    return false
  }
  // Inode numbers are those of one file system: the same number may stand for another file elsewhere.
  const other = attempt(() => statSync(`/proc/${pid}/fd/${descriptor}`, { bigint: true }))
  return other?.dev === file.dev && other.ino === file.ino
}

/** First and last byte of each open file description lock on the inode, in the text of an fdinfo file. */
export function lockedBytes(info: string, inode: bigint): readonly (readonly [number, number])[] {
  const found: (readonly [number, number])[] = []
  for (const [, ino, start, end] of info.matchAll(
    /^lock:\s.*\bOFDLCK\b.*\s[\da-f]+:[\da-f]+:(\d+) (\d+) (\d+|EOF)$/gm,
  )) {
    if (ino === String(inode)) found.push([Number(start), end === 'EOF' ? Number.POSITIVE_INFINITY : Number(end)])
  }
  return found
}

function commandOf(pid: number): string {
  return attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8'))?.trimEnd() ?? ''
}

/** What `look` gives; `undefined` where the process is gone or not ours to look into. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if ((error as { code?: unknown }).code === undefined) throw error
    return undefined
  }
}
