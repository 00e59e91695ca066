/** One commit, killed after a while, and all that must hold afterwards. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { isDirty } from '../lib/dirty-bit.ts'
import { isInstalled, ours, reference, runTool, type Tool } from '../lib/workspace.ts'
import { golden, images } from './chain.ts'

/** How one commit goes: into its immediate backing file, after which the top is emptied, or to the bottom. */
export interface Way {
  readonly args: readonly string[]
  /** The image that reads like the top once the commit is through. */
  readonly target: (typeof images)[number]
}

/** Both ways that a commit changes images. */
export const ways: readonly Way[] = [
  { args: ['commit', '-q', 'top.qcow2'], target: 'mid.qcow2' },
  { args: ['commit', '-q', '-b', 'base.qcow2', 'top.qcow2'], target: 'base.qcow2' },
]

/** What was found after a kill. */
export interface Outcome {
  /** False where the commit had ended before the signal came. */
  readonly inFlight: boolean
  /** Images that were dirty and whose refcounts the next writable open had to rebuild, as their dirty bit announced. */
  readonly rebuilt: readonly string[]
  /** Images with leaked clusters. */
  readonly leaking: readonly string[]
  /** Everything that must not be, in words; empty where all is well. */
  readonly failures: readonly string[]
}

/** Milliseconds that the commit takes when nobody kills it. */
export async function commitDuration(folder: string, tool: Tool, way: Way): Promise<number> {
  const start = performance.now()
  await endOf(tool, folder, way.args, undefined)
  return performance.now() - start
}

/**
 * Starts the commit in `folder`, kills it after `delay` milliseconds, and looks at what is left.
 *
 * The top must read as before, by our tools and the reference's (where installed); no image may be corrupt; a second
 * commit must go through, and then the target must read like the top.
 */
export async function killOnce(folder: string, tool: Tool, way: Way, delay: number): Promise<Outcome> {
  const inFlight = (await endOf(tool, folder, way.args, delay)) === 'SIGKILL'
  const judges = isInstalled('qemu-img') ? [ours, reference] : [ours]
  const failures: string[] = []
  for (const judge of judges) failures.push(...differs(judge, folder, 'top.qcow2', 'after the kill'))
  const checks = images.map((image) => checkImage(judges, folder, image))
  failures.push(...checks.flatMap((check) => check.failures))

  const second = runTool(tool, folder, ...way.args)
  if (second.code !== 0) failures.push(`second commit: exit code ${second.code}: ${second.stderr.trim()}`)
  for (const judge of judges) {
    failures.push(...differs(judge, folder, way.target, 'after the second commit'))
    failures.push(...differs(judge, folder, 'top.qcow2', 'after the second commit'))
    for (const image of images) {
      const { code } = runTool(judge, folder, 'check', '-q', '-f', 'qcow2', image)
      if (code !== 0 && code !== 3) failures.push(`${judge.name} check of ${image} after the second commit: ${code}`)
    }
  }
  return {
    inFlight,
    rebuilt: images.filter((_, i) => checks[i]!.rebuilt),
    leaking: images.filter((_, i) => checks[i]!.leaking),
    failures,
  }
}

/** Runs the command in `folder` and gives its end; a `delay` (milliseconds) ends it by SIGKILL. */
function endOf(tool: Tool, folder: string, args: readonly string[], delay: number | undefined): Promise<string> {
  const [program, ...first] = tool.command
  const child = spawn(program, [...first, ...args], { cwd: folder, stdio: 'ignore' })
  const timer = delay === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), delay)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      resolve(signal ?? String(code))
    })
  })
}

function differs(judge: Tool, folder: string, image: string, when: string): string[] {
  const compare = runTool(judge, folder, 'compare', '-f', 'qcow2', '-F', 'raw', image, join('..', golden))
  if (compare.code === 0) return []
  return [`${image} ${when}, says ${judge.name}: ${(compare.stdout + compare.stderr).trim()}`]
}

function checkImage(
  judges: readonly Tool[],
  folder: string,
  image: string,
): { failures: string[]; rebuilt: boolean; leaking: boolean } {
  const dirty = isDirty(join(folder, image))
  const failures: string[] = []
  let rebuilt = false
  let leaking = false
  for (const judge of judges) {
    const check = runTool(judge, folder, 'check', '-f', 'qcow2', image)
    // Emptying wipes the refcounts under the dirty bit, which tells the next writer to rebuild them before all else.
    if (check.code === 2 && dirty) rebuilt = true
    else if (check.code === 3) leaking = true
    else if (check.code !== 0)
      failures.push(`${judge.name} check of ${image}: ${check.code}: ${check.stdout}${check.stderr}`)
  }
  return { failures, rebuilt, leaking }
}
