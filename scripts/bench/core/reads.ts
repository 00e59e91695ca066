/** Reads through raw over file, beside the calls that it cannot do without. */
import { closeSync, openSync, read, readSync } from 'node:fs'
import { type BlockBackend, createBlockGraph } from '@blocklayer/block-core'
import { file } from '@blocklayer/driver-file'
import { raw } from '@blocklayer/driver-raw'
import { isInstalled, mustSucceed, run } from '../../lib/workspace.ts'
import { seededRandom } from '../../lib/random.ts'
import { median } from '../measure.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** One line of the table. */
interface Line {
  readonly aio: 'threads' | 'sync'
  readonly size: number
  readonly depth: number
  /** Requests in one run: long enough that starting counts for nothing. */
  readonly count: number
}

const lines: readonly Line[] = (['threads', 'sync'] as const).flatMap((aio) =>
  [4 * KiB, 64 * KiB, MiB].flatMap((size) =>
    [1, 16].map((depth) => ({ aio, size, depth, count: Math.min(8000, (2048 * MiB) / size) })),
  ),
)

/** Reads `offsets` with `depth` requests in flight. */
type Reader = (offsets: readonly number[], size: number, depth: number) => Promise<void>

/** What one run took, in microseconds per request. */
interface Cost {
  readonly wall: number
  /** Processor time of all threads: what others on the machine do changes it less. */
  readonly cpu: number
}

/** Prints requests per second of ours, of bare calls and of the reference, and processor time per request. */
export async function benchReads(path: string, mib: number, runs: number): Promise<void> {
  console.log(`reads of ${mib} MiB in the page cache at random offsets, ${runs} runs in turn, medians of requests/s`)
  console.log(
    '  and of processor time in µs per request; ratio: the median of what the turns say, and their middle half',
  )
  console.log(
    '  aio      size  depth   raw/file    fs.read    ratio (middle half)   reference    readSync   cpu: ours fs.read',
  )
  const random = seededRandom(1)
  const fd = openSync(path, 'r')
  try {
    for (const line of lines) {
      await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
      const disk = await graph.open(raw({ file: file(path, { aio: line.aio }) }), { readOnly: true })
      const readers = [through(disk), bareAsync(fd), ...(line.aio === 'sync' ? [bareSync(fd)] : [])]
      const costs = await alternate(readers, line, () => offsetsOf(line, mib, random), runs)
      console.log(row(line, costs.map(middle), ratiosOf(costs), referenceRate(path, line)))
    }
  } finally {
    closeSync(fd)
  }
}

function middle(costs: readonly Cost[]): Cost {
  return { wall: median(costs.map(({ wall }) => wall)), cpu: median(costs.map(({ cpu }) => cpu)) }
}

/** Ours to bare calls, turn by turn: what a neighbour takes from the machine, it takes from both runs of a turn. */
function ratiosOf([ours, bare]: readonly Cost[][]): number[] {
  return ours!.map((cost, turn) => bare![turn]!.wall / cost.wall).sort((a, b) => a - b)
}

function row(
  { aio, size, depth }: Line,
  [ours, bare, blocking]: readonly Cost[],
  ratios: readonly number[],
  other: number | undefined,
): string {
  const percent = (ratio: number): string => (100 * ratio).toFixed(0)
  const [low, high] = [0.25, 0.75].map((part) => percent(ratios[Math.floor(part * ratios.length)]!))
  const rate = (cost: Cost | undefined): string => (cost === undefined ? '' : (1e6 / cost.wall).toFixed(0))
  const cells = [
    `  ${aio.padEnd(7)}`,
    `${size / KiB}k`.padStart(5),
    String(depth).padStart(6),
    rate(ours).padStart(10),
    rate(bare).padStart(10),
    `${percent(median(ratios))} % (${low} to ${high})`.padStart(23),
    (other?.toFixed(0) ?? '').padStart(11),
    rate(blocking).padStart(11),
    ours!.cpu.toFixed(1).padStart(11),
    bare!.cpu.toFixed(1).padStart(7),
  ]
  return cells.join(' ')
}

function offsetsOf({ size, count }: Line, mib: number, random: () => number): number[] {
  return Array.from({ length: count }, () => Math.floor((random() * mib * MiB) / size) * size)
}

async function alternate(
  readers: readonly Reader[],
  { size, depth, count }: Line,
  offsets: () => number[],
  runs: number,
): Promise<Cost[][]> {
  const costs: Cost[][] = readers.map(() => [])
  // The first turn warms the compiler and counts for nobody.
  for (let i = 0; i <= runs; i++) {
    // Nobody always comes first, and nobody finds in the processor's caches what another one left there.
    const turn = [...readers.entries()]
    for (const [r, reader] of i % 2 === 0 ? turn : turn.reverse()) {
      const places = offsets()
      const cpu = process.cpuUsage()
      const start = performance.now()
      await reader(places, size, depth)
      const wall = ((performance.now() - start) * 1000) / count
      const { user, system } = process.cpuUsage(cpu)
      if (i > 0) costs[r]!.push({ wall, cpu: (user + system) / count })
    }
  }
  return costs
}

function through(disk: BlockBackend): Reader {
  return async (offsets, size, depth) => {
    let next = 0
    const work = async (): Promise<void> => {
      const into = new Uint8Array(size)
      while (next < offsets.length) await disk.read(offsets[next++]!, into)
    }
    await Promise.all(Array.from({ length: depth }, work))
  }
}

/** Callbacks that start the next call: the least that Node lets one do. */
function bareAsync(fd: number): Reader {
  return (offsets, size, depth) =>
    new Promise((resolve, reject) => {
      let next = 0
      let left = offsets.length
      const step = (into: Uint8Array): void => {
        if (next === offsets.length) return
        read(fd, into, 0, size, offsets[next++]!, (error) => {
          if (error !== null) reject(error)
          else if (--left === 0) resolve()
          else step(into)
        })
      }
      for (let i = 0; i < depth; i++) step(new Uint8Array(size))
    })
}

function bareSync(fd: number): Reader {
  return async (offsets, size) => {
    const into = new Uint8Array(size)
    for (const offset of offsets) readSync(fd, into, 0, size, offset)
  }
}

/** `qemu-img bench`, which reads one after the other through the file; `undefined` where it is not installed. */
function referenceRate(path: string, { aio, size, depth, count }: Line): number | undefined {
  if (aio === 'sync' || !isInstalled('qemu-img')) return undefined
  const args = ['bench', '-f', 'raw', '-c', String(count), '-d', String(depth), '-s', String(size), path]
  const runsOf = Array.from({ length: 3 }, () => {
    const { stdout } = mustSucceed('qemu-img bench', run('qemu-img', args))
    return count / Number(/completed in ([\d.]+) seconds/.exec(stdout)?.[1])
  })
  return median(runsOf)
}
