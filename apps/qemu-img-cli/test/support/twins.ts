/** Twin folders with equal images: one command line runs in both, by our tool and by the reference. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Outcome, ours, oursHere, referenceBeside, shell } from './tools.ts'

/** A pair of folders, and a third with the images that each case starts from. */
export interface Twins {
  readonly root: string
  readonly ours: string
  readonly reference: string
  /** What files looked like when they were put in place, by path; one that still looks so has not changed. */
  readonly looks: Map<string, string>
}

/** What one command line did in both folders, as text, to be compared as a whole. */
export interface Comparison {
  readonly ours: string
  readonly reference: string
}

/** Makes the folders and, with `script`, the images, by means of the reference. */
export function makeTwins(name: string, script: string): Twins {
  const root = mkdtempSync(join(tmpdir(), `blocklayer-${name}-`))
  const twins = { root, ours: join(root, 'ours'), reference: join(root, 'reference'), looks: new Map() }
  mkdirSync(join(root, 'start'))
  shell(script, { cwd: join(root, 'start') })
  return twins
}

/** Removes everything. */
export function removeTwins(twins: Twins): void {
  // A case may have taken away the right to write.
  execFileSync('chmod', ['-R', 'u+rwX', twins.root])
  rmSync(twins.root, { recursive: true })
}

/** Puts both folders back to the beginning, as far as they have changed. */
export function resetTwins({ root, ours, reference, looks }: Twins): void {
  for (const folder of [ours, reference]) {
    const changed = !existsSync(folder) || listFiles(folder).some((name) => !isUnchanged(looks, join(folder, name)))
    const complete = [...looks.keys()].every((path) => !path.startsWith(folder) || existsSync(path))
    if (!changed && complete) continue
    rmSync(folder, { recursive: true, force: true })
    execFileSync('cp', ['-a', '--sparse=always', join(root, 'start'), folder])
    for (const name of listFiles(folder)) looks.set(join(folder, name), look(join(folder, name)))
  }
}

function isUnchanged(looks: ReadonlyMap<string, string>, path: string): boolean {
  return looks.get(path) === look(path)
}

function look(path: string): string {
  const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`
}

/** All cases by processes of their own: slower, and nothing but what users have. */
const asProcesses = process.env.BLOCKLAYER_PROCESSES !== undefined

/** How a case is run. */
export interface CaseOptions {
  /** Shell lines run in both folders before. */
  readonly prepare?: string | undefined
  /** Applied to both sides' text. */
  readonly mask?: ((text: string) => string) | undefined
  /** How long a changed file is and which of its clusters hold zeroes is left to the writer. */
  readonly anyLayout?: boolean | undefined
  /** Our tool gets a process of its own, as users run it; default: only if `BLOCKLAYER_PROCESSES` is set. */
  readonly process?: boolean | undefined
  /** A shell line run in both folders afterwards, by the reference's tools; what it prints belongs to the outcome. */
  readonly show?: string | undefined
}

/** Runs `args` in both folders and describes output, status and every file that is there afterwards. */
export async function compareRuns(
  twins: Twins,
  args: readonly string[],
  options: CaseOptions = {},
): Promise<Comparison> {
  resetTwins(twins)
  if (options.prepare !== undefined) {
    shell(options.prepare, { cwd: twins.ours })
    shell(options.prepare, { cwd: twins.reference })
  }
  const mask = options.mask ?? ((text: string) => text)
  const outcomes = await runBoth(twins, args, options)
  const files = await compareFiles(twins, options.anyLayout === true)
  const shown = (cwd: string): string => (options.show === undefined ? '' : shell(options.show, { cwd }))
  return {
    ours: mask(describe(outcomes.ours) + shown(twins.ours)) + files.ours,
    reference: mask(describe(outcomes.reference) + shown(twins.reference)) + files.reference,
  }
}

async function runBoth(
  twins: Twins,
  args: readonly string[],
  { process: own = asProcesses }: CaseOptions,
): Promise<{ readonly ours: Outcome; readonly reference: Outcome }> {
  const there = referenceBeside(args, { cwd: twins.reference })
  const here = own ? ours(args, { cwd: twins.ours }) : await oursHere(args, { cwd: twins.ours })
  return { ours: here, reference: await there }
}

function describe({ stdout, stderr, status }: Outcome): string {
  return `status ${status}\n--- stdout\n${stdout}\n--- stderr\n${stderr}\n--- files\n`
}

/** One line per file: equal files say so, others show what the reference sees in them. */
async function compareFiles(twins: Twins, anyLayout: boolean): Promise<Comparison> {
  const names = new Set([...listFiles(twins.ours), ...listFiles(twins.reference)])
  const lines: Comparison[] = []
  for (const name of [...names].sort()) {
    const untouched = [twins.ours, twins.reference].every((folder) => isKept(twins.looks, join(folder, name)))
    if (untouched || sameBytes(join(twins.ours, name), join(twins.reference, name))) continue
    const line = async (folder: string): Promise<string> => `${name}: ${await guestView(folder, name, anyLayout)}\n`
    const [ours, reference] = await Promise.all([line(twins.ours), line(twins.reference)])
    lines.push({ ours, reference })
  }
  return { ours: lines.map((line) => line.ours).join(''), reference: lines.map((line) => line.reference).join('') }
}

function isKept(looks: ReadonlyMap<string, string>, path: string): boolean {
  return existsSync(path) && isUnchanged(looks, path)
}

function listFiles(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}

function sameBytes(a: string, b: string): boolean {
  try {
    return statSync(a).size === statSync(b).size && readFileSync(a).equals(readFileSync(b))
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return false
    throw error
  }
}

/** What the reference reads in an image: its health, its extents without host offsets, and its content. */
async function guestView(folder: string, name: string, anyLayout: boolean): Promise<string> {
  if (!existsSync(join(folder, name))) return 'not there'
  const check = await referenceBeside(['check', name], { cwd: folder })
  const health =
    check.status === 0 || check.status === 63 ? '' : `check ${check.status}\n${check.stdout}${check.stderr}`
  const map = await referenceBeside(['map', '--output=json', name], { cwd: folder })
  const copy = `${folder}.raw`
  const converted = await referenceBeside(['convert', '-O', 'raw', name, copy], { cwd: folder })
  const content =
    converted.status === 0 ? shell(`sha256sum < ${copy}; rm -f ${copy}`, { cwd: folder }) : converted.stderr
  const length = anyLayout ? '' : `${statSync(join(folder, name)).size} bytes\n`
  return `${length}${health}${mergeExtents(map.stdout, anyLayout)}\n${content}`
}

interface JsonExtent {
  readonly start: number
  readonly length: number
  readonly depth: number
  readonly present: boolean
  readonly zero: boolean
  readonly data: boolean
}

/** Where clusters lie in the file is the writer's choice; what they hold is not. */
function mergeExtents(json: string, anyLayout: boolean): string {
  if (json === '') return 'no map'
  const merged: { end: number; text: string }[] = []
  for (const extent of JSON.parse(json) as JsonExtent[]) {
    const where = `depth ${extent.depth} present ${extent.present}`
    const text = anyLayout ? where : `${where} zero ${extent.zero} data ${extent.data}`
    const last = merged.at(-1)
    if (last?.text === text) last.end = extent.start + extent.length
    else merged.push({ end: extent.start + extent.length, text })
  }
  return merged.map(({ end, text }) => `to ${end}: ${text}`).join('\n')
}
