/** One image after the other, each worked on and killed again and again, and judged by the reference after each kill. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mustSucceed, run } from '../lib/workspace.ts'
import { DiskModel, type Found } from './disk-model.ts'
import { runAndKill } from './kill-child.ts'
import { checkAndRepair, look } from './look.ts'
import { type Layout, layouts, newSectors, type OperationKind } from './operation.ts'

/** What one kill left. */
export interface KillOutcome {
  readonly layout: string
  /** What was under way; absent where the signal came between two operations. */
  readonly hit: OperationKind | undefined
  /** Operations that had ended since the kill before. */
  readonly done: number
  readonly leaks: boolean
  readonly repaired: boolean
  /** Everything that must not be, in words; empty where all is well. */
  readonly failures: readonly string[]
}

/** What a lane works with. */
export interface LaneOptions {
  /** The bundled child. */
  readonly program: string
  /** A folder of the lane's own, which exists. */
  readonly folder: string
  readonly random: () => number
  /** Index of the first layout. */
  readonly first: number
  /** Name of the only layout; default: all of them in turn. */
  readonly only?: string | undefined
}

/** Kills on one image before the next layout comes. */
const killsPerImage = 12

/** Goes on for as long as somebody asks for the next outcome. */
export async function* killLane({ program, folder, random, first, only }: LaneOptions): AsyncGenerator<KillOutcome> {
  let stamp = 1
  for (let image = first; ; image++) {
    const index = image % layouts.length
    const layout = layouts[index]!
    if (only !== undefined && layout.name !== only) continue
    rmSync(folder, { recursive: true })
    mkdirSync(folder)
    makeImage(folder, layout)
    const model = new DiskModel(await look(folder, layout.backing))
    for (let kill = 0; kill < killsPerImage; kill++) {
      const seed = Math.floor(random() * 2 ** 32)
      // Many short lives and a few long ones: the first operations after an open are special, and so is a full image.
      const delay = random() ** 2 * 150
      // What the process began with: from it and from its seed a failure can be run again.
      cpSync(join(folder, 'image.qcow2'), join(folder, 'image-before.qcow2'))
      const args = [folder, String(index), String(seed), String(stamp)]
      const life = await runAndKill(program, args, delay)
      stamp += life.done.length + life.refused + 1
      for (const operation of life.done) model.done(operation)
      if (life.inFlight !== undefined) model.begun(life.inFlight)
      const judged = await judge(folder, layout, { model, life, repairs: random() < 0.5 })
      const failures = [...life.failures, ...judged.failures]
      yield {
        layout: layout.name,
        hit: life.inFlight?.kind,
        done: life.done.length,
        leaks: judged.leaks,
        repaired: judged.repaired,
        failures: failures.length === 0 ? [] : [...failures, evidence(folder, { args, delay, life })],
      }
      if (failures.length > 0) break
    }
  }
}

interface Case {
  readonly model: DiskModel
  readonly life: Awaited<ReturnType<typeof runAndKill>>
  readonly repairs: boolean
}

async function judge(
  folder: string,
  layout: Layout,
  { model, life, repairs }: Case,
): Promise<Pick<KillOutcome, 'failures' | 'leaks' | 'repaired'>> {
  const failures: string[] = []
  const see = async (when: string): Promise<Found | undefined> => {
    try {
      const found = await look(folder, layout.backing)
      failures.push(...model.problems(found, life.inFlight).map((problem) => `${when}: ${problem}`))
      return found
    } catch (error) {
      failures.push(`${when}: ${error instanceof Error ? error.message : error}`)
      return undefined
    }
  }
  let found = await see('after the kill')
  // The reference's repair forgets snapshots where its open rewrites the header (docs/differences.md): it is left to ours.
  const byReference = repairs && found !== undefined && found.snapshots.size === 0
  const images = layout.backing ? ['image.qcow2', 'base.qcow2'] : ['image.qcow2']
  let [leaks, repaired] = [false, false]
  for (const image of images) {
    const check = await checkAndRepair(folder, image, byReference)
    failures.push(...check.failures)
    leaks ||= check.leaks
    repaired ||= check.repaired
  }
  if (repaired) found = await see('after the repair')
  if (found !== undefined && failures.length === 0) model.settle(found)
  return { failures, leaks, repaired }
}

/** The reference makes the images; a backing file is full of stamps that no operation uses. */
function makeImage(folder: string, layout: Layout): void {
  const img = (...args: string[]) => mustSucceed(args.join(' '), run('qemu-img', args, folder))
  const size = `${newSectors * 512}`
  if (!layout.backing) {
    img('create', '-q', '-f', 'qcow2', '-o', layout.options, 'image.qcow2', size)
    return
  }
  const words = Uint32Array.from({ length: newSectors * 128 }, (_, word) => 0x8000_0000 + Math.floor(word / 128))
  writeFileSync(join(folder, 'base.raw'), words)
  img('convert', '-f', 'raw', '-O', 'qcow2', '-o', layout.options, 'base.raw', 'base.qcow2')
  rmSync(join(folder, 'base.raw'))
  img('create', '-q', '-f', 'qcow2', '-o', layout.options, '-b', 'base.qcow2', '-F', 'qcow2', 'image.qcow2')
}

/** Keeps what a failure is to be understood from. */
function evidence(folder: string, what: object): string {
  const kept = join(tmpdir(), `blocklayer-killed-${process.pid}-${Date.now()}`)
  cpSync(folder, kept, { recursive: true })
  writeFileSync(join(kept, 'operations.json'), JSON.stringify(what, undefined, 1))
  return `the images and the operations are kept in ${kept}`
}
