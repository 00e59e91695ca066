/** The stand-in for qemu-io from its arguments to its exit status. */

import { parseArgs } from 'node:util'
import { type BlockBackend, BlockError, type BlockGraph, createBlockGraph, parseKeyValue } from '@blocklayer/block-core'
import { builtInDrivers } from '../drivers.ts'
import { closeImage, runCommand, type Session } from './commands.ts'
import type { Output } from './output.ts'

interface Arguments {
  readonly commands: readonly string[]
  readonly file: string | undefined
  readonly format: string | undefined
  readonly imageOpts: boolean
  readonly readOnly: boolean
  readonly forceShare: boolean
}

/** A wrong command line; printed behind the program's name. */
class UsageError extends Error {
  override readonly name = 'UsageError'
}

const options = {
  cmd: { type: 'string', short: 'c', multiple: true },
  format: { type: 'string', short: 'f' },
  'image-opts': { type: 'boolean' },
  'read-only': { type: 'boolean', short: 'r' },
  'force-share': { type: 'boolean', short: 'U' },
} as const

/** Runs one command line and gives its exit status: 0 if every command succeeded, else 1. */
export async function runBlockIo(args: readonly string[], output: Output): Promise<number> {
  let errors = 0
  await using graph = createBlockGraph({
    drivers: builtInDrivers,
    // As a drop-in tool: what an image names is opened.
    implicitOpen: 'allow',
    onDiagnostic: ({ kind, text }) => {
      if (kind === 'error') errors++
      const prefix = { warning: 'qemu-io: warning: ', error: 'qemu-io: ', line: '' }[kind]
      output.err(`${prefix}${text}\n`)
    },
  })
  try {
    const given = parse(args)
    const image = given.file === undefined ? undefined : await openImage(graph, given.file, given, output)
    return await runCommands({ ...output, image, reportedErrors: () => errors }, given.commands)
  } catch (error) {
    if (!(error instanceof BlockError || error instanceof UsageError)) throw error
    output.err(`qemu-io: ${error.message}\n`)
    if (error instanceof BlockError && error.hint !== undefined) output.err(`${error.hint}\n`)
    return 1
  }
}

function parse(args: readonly string[]): Arguments {
  const { values, positionals } = parseOptions(args)
  const [file, ...more] = positionals
  if (more.length > 0) throw new UsageError('only one file can be opened')
  if (values.cmd === undefined) throw new UsageError('commands come by -c only: nothing is read from standard input')
  const imageOpts = values['image-opts'] === true
  if (imageOpts && values.format !== undefined) throw new UsageError('--image-opts and -f are mutually exclusive')
  return {
    commands: values.cmd,
    file,
    format: values.format,
    imageOpts,
    readOnly: values['read-only'] === true,
    forceShare: values['force-share'] === true,
  }
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError(error.message, { cause: error })
  }
}

/** Opens with qemu-io's defaults: for writing, every write durable at once, discards passed on. */
async function openImage(graph: BlockGraph, file: string, given: Arguments, output: Output): Promise<BlockBackend> {
  const { imageOpts, format, readOnly, forceShare } = given
  const warn = (message: string): void => output.err(`qemu-io: warning: ${message}\n`)
  const image = imageOpts ? parseKeyValue(file, { onDeprecated: warn }) : file
  try {
    return await graph.open(image, { format, readOnly, forceShare, unmap: true, cache: { writeThrough: true } })
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw error.prepend(imageOpts ? "can't open: " : `can't open device ${file}: `)
  }
}

async function runCommands(session: Session, commands: readonly string[]): Promise<number> {
  let status = 0
  for (const command of commands) {
    if (!(await runCommand(session, command))) status = 1
  }
  await closeImage(session)
  return status
}
