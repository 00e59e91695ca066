/** Commands on the disk as a whole, and discards: `discard`, `flush`, `truncate`, `length`, `info`. */

import { BlockError, type BlockNode, type Preallocation } from '@blocklayer/block-core'
import type { Arguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { CommandFailure } from '../failure.ts'
import { infoText } from '../info-text.ts'
import { sizeText } from '../report.ts'
import type { Session } from '../session.ts'
import { backendOf, commonOptions, numberOf, openImageOf, rangeOf, reportMode, requireBufferLength } from './shared.ts'

const preallocations: readonly Preallocation[] = ['off', 'metadata', 'falloc', 'full']

/** `discard [-Cq] off len` */
export const discardCommand: Command = {
  name: 'discard',
  alias: 'd',
  synopsis: '[-Cq] off len',
  summary: 'discards a number of bytes at a specified offset',
  details: "'discard 512 1k' gives back one kilobyte at offset 512, as far as the format can.",
  options: [commonOptions.forPrograms, commonOptions.quiet],
  wordsMin: 2,
  writes: true,
  async run(session, args) {
    const flags = args.flags()
    const { offset, bytes } = rangeOf(session, args)
    requireBufferLength(bytes, args.operand(1))
    const seconds = await session.timed('discard', () => backendOf(session).discard(offset, bytes))
    if (seconds === undefined) return false
    session.report({ verb: 'discard', offset, bytes, seconds }, reportMode(flags))
    return true
  },
}

/** `flush`: fails silently, as in the reference; drivers have their own words. */
export const flushCommand: Command = {
  name: 'flush',
  alias: 'f',
  summary: 'flush all in-core file state to disk',
  wordsMin: 0,
  wordsMax: 0,
  async run(session) {
    try {
      await session.outstanding.during(() => backendOf(session).flush())
      return true
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      return false
    }
  },
}

/** `truncate [-m prealloc_mode] off` */
export const truncateCommand: Command = {
  name: 'truncate',
  alias: 't',
  synopsis: '[-m prealloc_mode] off',
  summary: 'truncates the current file at the given offset',
  options: [{ letter: 'm', value: 'prealloc_mode', choices: preallocations, text: 'how new space is prepared' }],
  wordsMin: 1,
  wordsMax: 3,
  writes: true,
  run: runTruncate,
}

/** `length` */
export const lengthCommand: Command = {
  name: 'length',
  alias: 'l',
  summary: 'gets the length of the current file',
  wordsMin: 0,
  wordsMax: 0,
  run(session) {
    session.out(`${sizeText(backendOf(session).length)}\n`)
    return true
  },
}

/** `info` */
export const infoCommand: Command = {
  name: 'info',
  alias: 'i',
  summary: 'prints information about the current file',
  wordsMin: 0,
  wordsMax: 0,
  run(session) {
    const { backend, graph } = openImageOf(session)
    const driver = graph?.drivers.find(({ formatName }) => formatName === backend.root.driverName)
    const { text, isComplete } = infoText(backend, driver?.protocolName)
    session.out(text)
    return isComplete
  },
}

async function runTruncate(session: Session, args: Arguments): Promise<boolean> {
  let preallocation: Preallocation = 'off'
  for (const { value } of args.options()) preallocation = preallocationOf(value)
  const length = newLength(session, args)
  const backend = backendOf(session)
  // A device that is longer will do; it cannot be cut.
  const exact = !liesOnDevice(backend.root)
  await session.outstanding.during(() => backend.truncate(length, { preallocation, exact }))
  return true
}

function liesOnDevice(node: BlockNode): boolean {
  if (node.driverKind === 'protocol') return node.driverName.startsWith('host_')
  return [...node.children.values()].some((child) => child !== node.backing && liesOnDevice(child))
}

function preallocationOf(name: string): Preallocation {
  const found = preallocations.find((known) => known === name)
  if (found === undefined) throw new CommandFailure({ told: `Invalid preallocation mode '${name}'` })
  return found
}

/** The first operand; where it is no number, the reference quotes the first word instead, which may be an option. */
function newLength(session: Session, args: Arguments): number {
  const word = args.operand(0)
  try {
    return numberOf(session, word)
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error
    const out = error.text.out?.replace(/ -- .*\n$/s, () => ` -- ${args.words[0]}\n`)
    throw new CommandFailure({ out: out ?? '' }, { cause: error })
  }
}
