/** Two folders with the same files: one for our program, one for the reference. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { images } from './images.ts'
import { type Outcome, runProcess, shell } from './tools.ts'

/** A pair of folders, and a third with the images that each case starts from. */
export interface Twins {
  readonly root: string
  readonly ours: string
  readonly reference: string
}

/** Makes the folders and, by means of the reference, the images. */
export function makeTwins(): Twins {
  const root = mkdtempSync(join(tmpdir(), 'blocklayer-qemu-io-'))
  mkdirSync(join(root, 'start'))
  shell(images, join(root, 'start'))
  const twins = { root, ours: join(root, 'ours'), reference: join(root, 'reference') }
  for (const folder of [twins.ours, twins.reference]) copyStart(twins, folder)
  return twins
}

/** Removes everything. */
export function removeTwins(twins: Twins): void {
  rmSync(twins.root, { recursive: true })
}

/** Puts both folders back to the beginning, as far as they have changed. */
export function resetTwins(twins: Twins): void {
  const start = contents(join(twins.root, 'start'))
  for (const folder of [twins.ours, twins.reference]) {
    const now = contents(folder)
    const names = new Set([...start.keys(), ...now.keys()])
    if ([...names].some((name) => !same(start.get(name), now.get(name)))) copyStart(twins, folder)
  }
}

/** What both runs left, to be compared as text: outputs, status, and each file that differs as a guest sees it. */
export function describeOutcomes(
  twins: Twins,
  outcomes: { readonly ours: Outcome; readonly reference: Outcome },
  mask: (text: string) => string,
): { readonly ours: string; readonly reference: string } {
  const [a, b] = [contents(twins.ours), contents(twins.reference)]
  const names = [...new Set([...a.keys(), ...b.keys()])].sort().filter((name) => !same(a.get(name), b.get(name)))
  const describe = (folder: string, { stdout, stderr, status }: Outcome): string => {
    const files = names.map((name) => `${name}: ${guestView(folder, name)}\n`).join('')
    return `status ${status}\n--- out\n${mask(stdout)}\n--- err\n${mask(stderr)}\n--- files\n${files}`
  }
  return { ours: describe(twins.ours, outcomes.ours), reference: describe(twins.reference, outcomes.reference) }
}

function copyStart({ root }: Twins, folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  execFileSync('cp', ['-a', '--sparse=always', join(root, 'start'), folder])
}

function contents(folder: string): Map<string, Buffer> {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(files.map(({ name }) => [name, readFileSync(join(folder, name))]))
}

function same(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a !== undefined && b !== undefined && a.equals(b)
}

interface JsonExtent {
  readonly start: number
  readonly length: number
  readonly depth: number
  readonly zero: boolean
  readonly data: boolean
}

/** What the reference reads in an image: its health, its extents without host offsets, and its content. */
function guestView(folder: string, name: string): string {
  if (!existsSync(join(folder, name))) return 'not there'
  const check = runProcess(['qemu-img', 'check', name], folder)
  const health = check.status === 0 || check.status === 63 ? '' : `${check.stdout}${check.stderr}`
  const map = runProcess(['qemu-img', 'map', '--output=json', name], folder).stdout
  const copy = join(folder, '..', 'copy.raw')
  const converted = runProcess(['qemu-img', 'convert', '-O', 'raw', name, copy], folder)
  const content = converted.status === 0 ? shell(`sha256sum < ${copy}; rm -f ${copy}`, folder) : converted.stderr
  return `${health}${mergedExtents(map)}\n${content}`
}

function mergedExtents(json: string): string {
  if (json === '') return 'no map'
  const merged: { end: number; text: string }[] = []
  for (const { start, length, depth, zero, data } of JSON.parse(json) as JsonExtent[]) {
    const text = `depth ${depth} zero ${zero} data ${data}`
    const last = merged.at(-1)
    if (last?.text === text) last.end = start + length
    else merged.push({ end: start + length, text })
  }
  return merged.map(({ end, text }) => `to ${end}: ${text}`).join('\n')
}
