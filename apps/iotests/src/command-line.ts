/** What the command line says. */

import { parseArgs } from 'node:util'
import type { ToolChoice } from './runner/tool-set.ts'

/** A command line that cannot be understood: its message is for the user. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A command line, understood. */
export interface CommandLine extends ToolChoice {
  readonly tests: readonly string[]
  readonly groups: readonly string[]
  readonly format: string
  /** Milliseconds for one run of a tool. */
  readonly timeout: number
  readonly help: boolean
  readonly list: boolean
  readonly json: boolean
  readonly record: boolean
  readonly keep: boolean
}

/** Text of `--help`. */
export const usage: string = `usage: iotests [OPTION]... [TEST]...

Runs TESTs, by number or name, or all of them, on an implementation of qemu-img and qemu-io, and compares what the
tools print with golden output recorded from the reference.

  --tools WHAT        ours (default), reference, or a folder with a qemu-img and a qemu-io
  --qemu-img CMD      use CMD as qemu-img (a command and its first arguments)
  --qemu-io CMD       use CMD as qemu-io
  --format FMT        image format under test (default qcow2)
  -g, --group GROUP   only tests in GROUP; may be given several times
  -l, --list          list tests, run none
  --json              report as JSON
  --keep              keep the scratch folders
  --timeout SECONDS   end a tool that runs longer (default 120)
  --record            write golden output; only with --tools reference
  -h, --help          show this text

Exit status: 0 if no test failed, 1 if one did, 2 for a wrong command line.
`

const formats = ['raw', 'qcow', 'qcow2', 'qed', 'vdi', 'vmdk', 'vhdx', 'vpc', 'parallels']

/** Parses the arguments behind the program's name. @throws UsageError */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parse(args)
  const format = values.format ?? 'qcow2'
  if (!formats.includes(format)) throw new UsageError(`Unknown format '${format}'; there are: ${formats.join(', ')}`)
  const seconds = Number(values.timeout ?? 120)
  if (!(seconds > 0)) throw new UsageError(`--timeout needs a number of seconds, not '${values.timeout}'`)
  const given = values['qemu-img'] !== undefined || values['qemu-io'] !== undefined
  const record = values.record === true
  if (record && (values.tools !== 'reference' || given)) {
    throw new UsageError('--record writes what the reference prints: it needs --tools reference and no other tools')
  }
  return {
    tests: positionals,
    groups: values.group ?? [],
    format,
    timeout: seconds * 1000,
    help: values.help === true,
    list: values.list === true,
    json: values.json === true,
    record,
    keep: values.keep === true,
    tools: values.tools,
    qemuImg: values['qemu-img'],
    qemuIo: values['qemu-io'],
  }
}

const options = {
  tools: { type: 'string' },
  'qemu-img': { type: 'string' },
  'qemu-io': { type: 'string' },
  format: { type: 'string' },
  group: { type: 'string', short: 'g', multiple: true },
  list: { type: 'boolean', short: 'l' },
  json: { type: 'boolean' },
  keep: { type: 'boolean' },
  timeout: { type: 'string' },
  record: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError(error.message, { cause: error })
  }
}
