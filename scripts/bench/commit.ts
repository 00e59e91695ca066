/**
 * `pnpm bench commit [--runs N] [--mib N] [--dir FOLDER]`: a commit of changed data, ours and the reference's in turn.
 *
 * Two chains: in one the base holds data everywhere, so that the commit overwrites; in the other the base is empty, so
 * that it allocates. It prints figures and judges none: a time that a test asserts fails on the next busy machine.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { randomBytes, seededRandom } from '../lib/random.ts'
import {
  ensureCli,
  isInstalled,
  mustSucceed,
  ours,
  reference,
  run,
  runTool,
  type Tool,
  withFolder,
} from '../lib/workspace.ts'
import { type Measurement, measure, median } from './measure.ts'

const MiB = 1024 * 1024
const tools: readonly Tool[] = [ours, reference]

/** Runs the benchmark with the arguments that follow `bench commit`. */
export async function benchCommit(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '5' },
      mib: { type: 'string', default: '1024' },
      dir: { type: 'string', default: tmpdir() },
    },
  })
  if (!isInstalled('qemu-img')) throw new Error('bench commit needs the reference (Debian: qemu-utils)')
  ensureCli()
  const [runs, mib] = [Number(values.runs), Number(values.mib)]
  console.log(`commit of ${mib} MiB of changed data, ${runs} runs each in turn, medians`)
  await withFolder(
    'bench',
    async (folder) => {
      await writeRandom(join(folder, 'new.raw'), mib, 1)
      mustSucceed('convert', runTool(reference, folder, 'convert', '-O', 'qcow2', 'new.raw', 'top.qcow2'))
      for (const base of ['full', 'empty'] as const) {
        await makeBase(folder, base, mib)
        console.log(`base ${base === 'full' ? 'full of data (overwrites)' : 'empty (allocates)'}:`)
        print(await alternate(folder, runs))
      }
    },
    values.dir,
  )
}

/** The overlay stays as it is; only the base that it names is made anew. */
async function makeBase(folder: string, base: 'full' | 'empty', mib: number): Promise<void> {
  if (base === 'full') {
    await writeRandom(join(folder, 'old.raw'), mib, 2)
    mustSucceed('convert', runTool(reference, folder, 'convert', '-O', 'qcow2', 'old.raw', 'base.qcow2'))
    rmSync(join(folder, 'old.raw'))
  } else {
    mustSucceed('create', runTool(reference, folder, 'create', '-q', '-f', 'qcow2', 'base.qcow2', `${mib}M`))
  }
  mustSucceed('rebase', runTool(reference, folder, 'rebase', '-u', '-b', 'base.qcow2', '-F', 'qcow2', 'top.qcow2'))
}

/** Figures of each tool, run by run, the tools taking turns so that a slow minute hits both. */
async function alternate(folder: string, runs: number): Promise<Measurement[][]> {
  const figures: Measurement[][] = tools.map(() => [])
  for (let i = 0; i < runs; i++) {
    for (const [t, tool] of tools.entries()) {
      const copy = join(folder, 'copy')
      mkdirSync(copy)
      for (const image of ['base.qcow2', 'top.qcow2']) cpSync(join(folder, image), join(copy, image))
      // What the copying left to be written must not be written on the clock.
      run('sync', [])
      figures[t]!.push(await measure(tool, copy, 'commit', '-q', 'top.qcow2'))
      if (i === 0) {
        const compare = runTool(reference, copy, 'compare', '-F', 'raw', 'base.qcow2', '../new.raw')
        mustSucceed(`what ${tool.name} committed`, compare)
      }
      rmSync(copy, { recursive: true })
    }
  }
  return figures
}

function print(figures: readonly Measurement[][]): void {
  const wall = figures.map((runs) => median(runs.map((run) => run.wall)))
  for (const [t, tool] of tools.entries()) {
    const times = figures[t]!.map((run) => (run.wall / 1000).toFixed(2)).join(' ')
    const peak = Math.max(...figures[t]!.map((run) => run.memory)) / MiB
    console.log(`  ${tool.name.padEnd(9)} ${(wall[t]! / 1000).toFixed(2)} s, peak ${peak.toFixed(0)} MiB   (${times})`)
  }
  console.log(`  ratio     ${(wall[0]! / wall[1]!).toFixed(2)}`)
}

/** Writes `mib` MiB that no zero detection or compression makes smaller. */
export async function writeRandom(path: string, mib: number, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const block = randomBytes(random, MiB)
  await using file = await open(path, 'w')
  for (let i = 0; i < mib; i++) {
    // Blocks that differ are enough; making each afresh would take longer than the benchmark.
    new DataView(block.buffer).setUint32(0, i)
    await file.write(block)
  }
}
