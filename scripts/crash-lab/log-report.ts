/** Crash states of a log of writes on disk: does a qcow2 image survive what was done to it? */
import { readFileSync } from 'node:fs'
import {
  crashState,
  crashStates,
  type CrashOperation,
  imageProblems,
  inspectState,
  type Journal,
  journalOfLog,
  type ScratchDisk,
} from '@blocklayer/block-core/testing'
import { readLog } from '@blocklayer/driver-blklogwrites'
import { openChain, type Qcow2Subject } from './qcow2-subject.ts'

/** One state of a log that is wrong. */
interface LogViolation {
  readonly id: string
  readonly problems: readonly string[]
}

/** What a log came to. */
export interface LogExploration {
  readonly entries: number
  readonly states: number
  readonly violations: readonly LogViolation[]
}

/** How a log is explored. */
export interface LogOptions {
  readonly seed: string
  readonly json: boolean
  readonly state?: string | undefined
}

/**
 * Explores the log in `file` and prints what it found. What the guest's requests were a log does not tell: the images are
 * checked, and nothing is said of their content.
 *
 * @param image - what the disk held when the log began, as a file; absent: nothing
 * @returns the process's exit code
 */
export async function exploreLog(file: string, image: string | undefined, options: LogOptions): Promise<number> {
  const start = image === undefined ? new Uint8Array(0) : new Uint8Array(readFileSync(image))
  const log = await readLog(new Uint8Array(readFileSync(file)))
  const journal = await journalOfLog(start, log.entries())
  if (options.state !== undefined) return await showState(journal, options.state, Number(options.seed))
  const found = await exploreJournal(journal, Number(options.seed))
  if (options.json) console.log(JSON.stringify(found, undefined, 2))
  else {
    for (const { id, problems } of found.violations) console.log(`${id}: ${problems.join('; ')}`)
    console.log(`${found.entries} entries, ${found.states} crash states, ${found.violations.length} violations`)
  }
  return found.violations.length === 0 ? 0 : 1
}

/** One state of the log again. */
async function showState(journal: Journal, id: string, seed: number): Promise<number> {
  const problems = await problemsOf(crashState(journal, id, { seed }).disks)
  console.log(`${id}: ${problems.length === 0 ? 'nothing is wrong' : 'VIOLATION'}`)
  for (const problem of problems) console.log(`  ${problem}`)
  return problems.length === 0 ? 0 : 1
}

/** The image that a log is about, if any. */
const subject: CrashOperation<Qcow2Subject> = {
  name: 'log',
  diskNames: ['disk'],
  prepare: async () => [],
  open: (disks, how) => openChain(disks, how),
  run: async () => {},
}

function problemsOf(disks: readonly ScratchDisk[]): Promise<readonly string[]> {
  return inspectState(subject, disks).then(imageProblems, (error: unknown) => [
    `it cannot be looked at: ${error instanceof Error ? error.message : String(error)}`,
  ])
}

/** Every state in which the disk has a qcow2 header; before that there is no image that could be wrong. */
export async function exploreJournal(journal: Journal, seed: number): Promise<LogExploration> {
  const violations: LogViolation[] = []
  let states = 0
  for (const { id, disks } of crashStates(journal, { seed })) {
    const magic = new Uint8Array(4)
    disks[0]!.read(0, magic)
    if (new DataView(magic.buffer).getUint32(0) !== 0x514649fb) continue
    states++
    const problems = await problemsOf(disks)
    if (problems.length > 0) violations.push({ id, problems })
  }
  return { entries: journal.entries.length, states, violations }
}
