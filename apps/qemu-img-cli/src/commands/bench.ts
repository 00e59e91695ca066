/** `bench`: times reads or writes of an image. */

import { printResult, say } from '../print/result.ts'
import {
  BlockError,
  type BlockGraph,
  type JobProgress,
  type JsonValue,
  parseNumberOption,
} from '@blocklayer/block-core'
import { type BenchPlan, benchDisk } from '@blocklayer/qemu-img'
import { type CacheMode, cacheMode, writeback } from '../args/cache-mode.ts'
import { refuseFormatWithOptions, singleOperand } from '../args/common.ts'
import { scanOptions } from '../args/scan.ts'
import { parseSizeArgument, type SizeArgument } from '../args/size-arg.ts'
import type { CommandContext } from '../context.ts'
import { Failure } from '../failure.ts'
import { interruptible, onlyRead } from '../interruption.ts'
import { startOwnProgress } from '../progress-signal.ts'
import { type ImageOperand, openImage, withGraph } from '../graph.ts'
import { benchTable } from '../tables/bench.ts'
import type { Command } from './command.ts'

interface BenchArguments {
  readonly operand: ImageOperand
  readonly cache: CacheMode
  readonly forceShare: boolean
  /** Without effect but on progress. */
  readonly quiet: boolean
  readonly plan: BenchPlan
}

const intMax = 2 ** 31 - 1

/** Options that are counted without suffixes, and the largest value of each. */
const numbers: Readonly<Record<string, { readonly name: string; readonly max: number }>> = {
  c: { name: 'request count', max: intMax },
  d: { name: 'queue depth', max: intMax },
  pattern: { name: 'pattern byte', max: 0xff },
  'flush-interval': { name: 'flush interval', max: intMax },
}

const sizes: Readonly<Record<string, SizeArgument>> = {
  o: { name: 'offset' },
  s: { name: 'buffer size', max: BigInt(intMax) },
  S: { name: 'step_size', max: BigInt(intMax) },
}

/** `bench [-c COUNT] [-d DEPTH] [-f FMT] [-o OFFSET] [-s BUFSIZE] [-S STEP] [-t CACHE] [-w] … FILENAME` */
export const benchCommand: Command = async (context, argv) => {
  const { operand, cache, forceShare, quiet, plan } = parseArguments(context, argv)
  const work = async (graph: BlockGraph, signal: AbortSignal): Promise<void> => {
    const disk = await openImage(context, graph, operand, { writable: plan.write, cache, forceShare })
    say(context, announcement(plan))
    try {
      const progress = startOwnProgress(context, { quiet })
      const onProgress = ({ current, total }: JobProgress): void => progress.report((100 * current) / total, current)
      progress.report(0)
      const seconds = await benchDisk(disk, plan, { signal, onProgress }).finally(() => progress.end())
      say(context, `Run completed in ${seconds.toFixed(3)} seconds.\n`)
      printResult(context, 'bench', resultMembers(operand.text, plan, seconds))
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      throw new Failure(`Failed request: ${error.errnoText}`, { cause: error })
    }
  }
  const written = (which: string) => () => `'${operand.text}' is whole, with ${which} of the writes`
  const outcomes = plan.write ? { givenUp: written('none or some'), done: written('all') } : onlyRead
  await interruptible((signal) => withGraph(context, (graph) => work(graph, signal)), outcomes)
  return 0
}

function resultMembers(filename: string, plan: BenchPlan, seconds: number): Record<string, JsonValue> {
  const { write, count, depth, offset, bytes, step, flushInterval } = plan
  return {
    filename,
    write,
    count,
    depth,
    offset,
    bytes,
    step,
    'flush-interval': flushInterval,
    seconds,
    'requests-per-second': seconds > 0 ? count / seconds : null,
    'bytes-per-second': seconds > 0 ? (count * bytes) / seconds : null,
  }
}

function announcement({ write, count, bytes, depth, offset, step, flushInterval }: BenchPlan): string {
  const what = `Sending ${count} ${write ? 'write' : 'read'} requests, ${bytes} bytes each, ${depth} in parallel`
  const where = ` (starting at offset ${offset}, step size ${step})\n`
  return `${what}${where}${flushInterval > 0 ? `Sending flush every ${flushInterval} requests\n` : ''}`
}

interface Scanned {
  readonly values: ReadonlyMap<string, string>
  readonly numbers: ReadonlyMap<string, number>
  readonly native: boolean
  readonly cache: CacheMode
  readonly operands: readonly string[]
}

function scan(context: CommandContext, argv: readonly string[]): Scanned {
  const values = new Map<string, string>()
  const given = new Map<string, number>()
  let cache = writeback
  let native = false
  const operands = scanOptions(context, argv, benchTable, (id, argument) => {
    if (Object.hasOwn(numbers, id)) given.set(id, parseCount(argument, numbers[id]!))
    else if (Object.hasOwn(sizes, id)) given.set(id, Number(parseSizeArgument(argument, sizes[id]!, context.warn)))
    else if (id === 't') cache = requireBenchCache(argument)
    else if (id === 'n') native = true
    // As the reference: what was asked for stays asked for, whatever comes later.
    else if (id === 'i') native = parseAio(argument) === 'native' || native
    else values.set(id, argument)
  })
  return { values, numbers: given, native, cache, operands }
}

function parseArguments(context: CommandContext, argv: readonly string[]): BenchArguments {
  const { values, numbers: given, native, cache, operands } = scan(context, argv)
  const text = singleOperand(operands)
  const [write, imageOpts, format] = [values.has('w'), values.has('image-opts'), values.get('f')]
  const flushInterval = given.get('flush-interval') ?? 0
  const depth = given.get('d') ?? 64
  const count = given.get('c') ?? 75000
  if (!write && flushInterval > 0) throw new Failure('--flush-interval is only available in write tests')
  if (flushInterval > 0 && flushInterval < depth) throw new Failure("Flush interval can't be smaller than depth")
  // The reference would wait for ever.
  if (depth === 0 && count > 0) throw new Failure('Invalid queue depth specified')
  refuseFormatWithOptions(imageOpts, format)
  if (native && !cache.direct) {
    const rule = 'aio=native was specified, but it requires cache.direct=on, which was not specified.'
    throw new Failure(`Could not open '${text}': ${rule}`)
  }
  const bytes = given.get('s') ?? 4096
  return {
    operand: { text, imageOpts, format },
    cache,
    forceShare: values.has('U'),
    quiet: values.has('q'),
    plan: {
      write,
      count,
      depth,
      offset: given.get('o') ?? 0,
      bytes,
      step: given.get('S') || bytes,
      pattern: given.get('pattern') ?? 0,
      flushInterval,
      drain: !values.has('no-drain'),
    },
  }
}

function parseCount(text: string, { name, max }: { readonly name: string; readonly max: number }): number {
  try {
    const value = parseNumberOption(name, text)
    if (value <= BigInt(max)) return Number(value)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    throw new Failure(`Invalid ${name} specified`, { cause: error })
  }
  throw new Failure(`Invalid ${name} specified`)
}

function requireBenchCache(name: string): CacheMode {
  const mode = cacheMode(name)
  if (mode === undefined) throw new Failure('Invalid cache mode')
  return mode
}

function parseAio(name: string): string {
  if (!['threads', 'native', 'io_uring'].includes(name)) throw new Failure(`Invalid aio option: ${name}`)
  return name
}
