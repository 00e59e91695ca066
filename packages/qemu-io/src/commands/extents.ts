/** `alloc` and `map`: which parts the image itself holds, its backing files left out. */

import { type BlockBackend, BlockError } from '@blocklayer/block-core'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { CommandFailure, complain } from '../failure.ts'
import { sectorBytes } from '../numbers.ts'
import { sizeText } from '../report.ts'
import type { Session } from '../session.ts'
import { backendOf, numberOf } from './shared.ts'

/** `alloc offset [count]` */
export const allocCommand: Command = {
  name: 'alloc',
  alias: 'a',
  synopsis: 'offset [count]',
  summary: 'checks if offset is allocated in the file',
  details: 'Counts how many of the bytes, 512 unless count says otherwise, the image itself holds.',
  wordsMin: 1,
  wordsMax: 2,
  run: runAlloc,
}

/** `map` */
export const mapCommand: Command = {
  name: 'map',
  // Its usage line has two blanks behind the name.
  synopsis: '',
  summary: 'prints the allocated areas of a file',
  wordsMin: 0,
  wordsMax: 0,
  run: runMap,
}

async function runAlloc(session: Session, args: Arguments): Promise<boolean> {
  const [first = '', second] = args.words
  const offset = numberOf(session, first)
  const wanted = second === undefined ? sectorBytes : numberOf(session, second)
  const backend = backendOf(session)
  let [allocated, seen] = [0, 0]
  try {
    while (seen < wanted) {
      const run = await session.outstanding.during(() => backend.isAllocated(offset + seen, wanted - seen))
      if (run.bytes === 0) break
      seen += run.bytes
      if (run.allocated) allocated += run.bytes
    }
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw complain(`is_allocated failed: ${error.errnoText}`)
  }
  // What lies behind the end does not count as asked for.
  session.out(`${allocated}/${seen} bytes allocated at offset ${sizeText(offset)}\n`)
  return true
}

async function runMap(session: Session): Promise<boolean> {
  const backend = backendOf(session)
  const { length } = backend
  for (let start = 0; start < length; ) {
    const run = await session.outstanding.during(() => runAt(backend, start, length - start))
    const [size, hex] = [sizeText(run.bytes), run.bytes.toString(16)]
    const word = run.allocated ? '    allocated' : 'not allocated'
    session.out(`${size} (0x${hex}) bytes ${word} at offset ${sizeText(start)} (0x${start.toString(16)})\n`)
    start += run.bytes
  }
  return true
}

/** The longest run of one kind at `start`. @throws CommandFailure with the reference's words */
async function runAt(
  backend: BlockBackend,
  start: number,
  bytesMax: number,
): Promise<{ readonly allocated: boolean; readonly bytes: number }> {
  const first = await statusAt(backend, start, bytesMax)
  if (first.bytes === 0) throw new CommandFailure({ told: 'Unexpected end of image' })
  let { bytes } = first
  while (bytes < bytesMax) {
    const next = await statusAt(backend, start + bytes, bytesMax - bytes)
    if (next.bytes === 0 || next.allocated !== first.allocated) break
    bytes += next.bytes
  }
  return { allocated: first.allocated, bytes }
}

async function statusAt(
  backend: BlockBackend,
  offset: number,
  bytes: number,
): Promise<{ readonly allocated: boolean; readonly bytes: number }> {
  try {
    return await backend.isAllocated(offset, bytes)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw new CommandFailure({ told: `Failed to get allocation status: ${error.errnoText}` }, { cause: error })
  }
}
