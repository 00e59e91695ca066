/** The arguments of `convert`, read and checked in the reference's order. */

import { hasHelpOption, Permissions } from '@blocklayer/block-core'
import { appendOptionList } from '../../args/option-list.ts'
import { scanOptions } from '../../args/scan.ts'
import { parseSizeArgument } from '../../args/size-arg.ts'
import { parseSnapshotArgument, type SnapshotChoice } from '../../args/snapshot-arg.ts'
import type { CommandContext } from '../../context.ts'
import { Failure } from '../../failure.ts'
import { convertTable } from '../../tables/convert.ts'

/** What the user asked for. */
export interface ConvertArguments {
  readonly sources: readonly string[]
  readonly target: string
  readonly sourceFormat: string | undefined
  /** `undefined` only with `--target-image-opts`. */
  readonly targetFormat: string | undefined
  readonly options: string | undefined
  readonly backingFile: string | undefined
  readonly backingFormat: string | undefined
  readonly targetCache: string
  readonly sourceCache: string
  readonly snapshot: SnapshotChoice | undefined
  /** Bytes of zeroes that are left out; 0: everything is written. */
  readonly sparseBytes: number
  readonly workers: number
  /** Bytes per second; 0: as fast as possible. */
  readonly rate: number
  readonly flags: ReadonlySet<ConvertFlag>
}

/** Options without an argument, by their letter or long name. */
export type ConvertFlag =
  | 'C'
  | 'c'
  | 'p'
  | 'q'
  | 'n'
  | 'W'
  | 'U'
  | 'image-opts'
  | 'target-image-opts'
  | 'salvage'
  | 'target-is-zero'
  | 'bitmaps'
  | 'skip-broken-bitmaps'
  | 'reproducible'

/** What scanning gave; the rules between options come afterwards. */
interface Scanned {
  readonly values: ReadonlyMap<string, string>
  readonly flags: ReadonlySet<ConvertFlag>
  readonly options: string | undefined
  readonly snapshot: SnapshotChoice | undefined
  readonly sparseBytes: number | undefined
  readonly workers: number
  readonly rate: number
  readonly operands: readonly string[]
}

const sparseDefault = 4096
const sparseMax = 16 * 2 ** 20
const workersDefault = 8
const workersMax = 16

/**
 * Reads the command line.
 *
 * @param help - called where `-o help` is asked for, with the format and, if it is known, the target
 * @throws Failure with the reference's message for the first rule that is broken
 * @see QEMU 7.2 qemu-img.c: img_convert
 */
export async function parseConvertArguments(
  context: CommandContext,
  argv: readonly string[],
  help: (format: string, target: string | undefined) => Promise<never>,
): Promise<ConvertArguments> {
  const scanned = scan(context, argv)
  const { values, flags, options, operands } = scanned
  checkFlags(scanned)
  const targetFormat = values.get('O') ?? (flags.has('target-image-opts') ? undefined : 'raw')
  const target = operands.length >= 2 ? operands.at(-1) : undefined
  if (options !== undefined && hasHelpOption(options)) await help(targetFormat ?? 'raw', target)
  if (target === undefined) throw new Failure('Must specify image file name')
  return {
    sources: operands.slice(0, -1),
    target,
    sourceFormat: values.get('f'),
    targetFormat,
    options,
    backingFile: values.get('B'),
    backingFormat: values.get('F'),
    targetCache: values.get('t') ?? 'unsafe',
    sourceCache: values.get('T') ?? 'writeback',
    snapshot: scanned.snapshot,
    sparseBytes: scanned.sparseBytes ?? sparseDefault,
    workers: scanned.workers,
    rate: scanned.rate,
    flags,
  }
}

function scan(context: CommandContext, argv: readonly string[]): Scanned {
  const values = new Map<string, string>()
  const flags = new Set<ConvertFlag>()
  let options: string | undefined
  let snapshot: SnapshotChoice | undefined
  let sparseBytes: number | undefined
  let workers = workersDefault
  let rate = 0
  const operands = scanOptions(context, argv, convertTable, (id, argument) => {
    if (id === 'o') options = appendOptionList(options, argument)
    else if (id === 'l') snapshot = parseSnapshotArgument(argument, context.warn)
    else if (id === 'S') sparseBytes = parseSparse(context, argument)
    else if (id === 'm') workers = parseWorkers(argument)
    else if (id === 'r') rate = Number(parseSizeArgument(argument, { name: 'rate limit' }, context.warn))
    else if ('fOBFtT'.includes(id)) values.set(id, argument)
    else flags.add(id as ConvertFlag)
  })
  return { values, flags, options, snapshot, sparseBytes, workers, rate, operands }
}

function parseSparse(context: CommandContext, text: string): number {
  const bytes = Number(parseSizeArgument(text, { name: 'buffer size for sparse output' }, context.warn))
  if (bytes % 512 !== 0 || bytes > sparseMax) {
    throw new Failure(
      'Invalid buffer size for sparse output specified. Valid sizes are multiples of 512 up to ' +
        `${sparseMax}. Select 0 to disable sparse detection (fully allocates output).`,
    )
  }
  return bytes
}

function parseWorkers(text: string): number {
  const count = /^[ \t\n\v\f\r]*\+?(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : 0
  if (count < 1 || count > workersMax) {
    throw new Failure(`Invalid number of coroutines. Allowed number of coroutines is between 1 and ${workersMax}`)
  }
  return count
}

/** Combinations that make no sense, in the reference's order. */
function checkFlags({ flags, options, sparseBytes }: Scanned): void {
  const rules: readonly (readonly [boolean, string])[] = [
    [flags.has('skip-broken-bitmaps') && !flags.has('bitmaps'), 'Use of --skip-broken-bitmaps requires --bitmaps'],
    [flags.has('C') && flags.has('c'), 'Cannot enable copy offloading when -c is used'],
    [flags.has('C') && sparseBytes !== undefined, 'Cannot enable copy offloading when -S is used'],
    [flags.has('C') && flags.has('salvage'), 'Cannot use copy offloading in salvaging mode'],
    [flags.has('target-image-opts') && !flags.has('n'), '--target-image-opts requires use of -n flag'],
    [flags.has('n') && options !== undefined, '-o has no effect when skipping image creation'],
    [flags.has('target-is-zero') && !flags.has('n'), '--target-is-zero requires use of -n flag'],
  ]
  for (const [broken, message] of rules) if (broken) throw new Failure(message)
}

/** What others may do to a source meanwhile: nobody changes it under our hands, even where its format would let them. */
export function sourceSharing({ flags }: ConvertArguments): { readonly forceShare: boolean; readonly share?: number } {
  if (flags.has('U')) return { forceShare: true }
  return { forceShare: false, share: Permissions.all & ~(Permissions.write | Permissions.resize) }
}
