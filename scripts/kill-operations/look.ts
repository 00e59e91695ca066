/** Looks at an image with the reference's tools: what a check says, and what the disk, its snapshots and its base show. */
import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isDirty, isVersion2 } from '../lib/dirty-bit.ts'
import type { Finished } from '../lib/workspace.ts'
import { type Found, stampsOf } from './disk-model.ts'

/** Runs a tool to its end while others run. */
function later(program: string, args: readonly string[], cwd: string): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, encoding: 'utf8' }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : 128
      resolve({ code, stdout, stderr })
    })
  })
}

/** What the reference found wrong, in words, and whether it had something to do. */
export interface CheckOutcome {
  readonly failures: readonly string[]
  readonly leaks: boolean
  readonly repaired: boolean
}

/**
 * Checks an image that a kill left, and repairs what may be wrong with it: a dirty image's refcounts, and leaks.
 *
 * Whatever else a check finds is a failure, and so is what a repair leaves.
 *
 * @param repairs - false: leave that to whoever opens the image next
 */
export async function checkAndRepair(folder: string, image: string, repairs: boolean): Promise<CheckOutcome> {
  const dirty = isDirty(join(folder, image))
  const check = await later('qemu-img', ['check', '-f', 'qcow2', image], folder)
  const leaks = check.code === 3
  if (check.code === 0 && !dirty) return { failures: [], leaks, repaired: false }
  const failures: string[] = []
  // Counts of a dirty image are old: it says itself that they are to be counted again before all else.
  if (check.code !== 0 && !leaks && !(check.code === 2 && (dirty || hasOldFlagsOnly(check.stdout, folder, image)))) {
    failures.push(`check of ${image}: exit code ${check.code}: ${check.stdout}${check.stderr}`)
  }
  if (!repairs) return { failures, leaks, repaired: false }
  const repair = await later('qemu-img', ['check', '-f', 'qcow2', '-r', 'all', image], folder)
  if (repair.code !== 0) failures.push(`repair of ${image}: exit code ${repair.code}: ${repair.stdout}${repair.stderr}`)
  return { failures, leaks, repaired: dirty }
}

/**
 * Whether all errors are COPIED flags of a version 2 image: no dirty bit can announce them there. A snapshot raises counts
 * before it clears the flags. Neither order is clean to a check, and either is harmless: whoever trusts the flag writes in
 * place to what only the disk uses, since the snapshot is not in the table yet.
 */
function hasOldFlagsOnly(report: string, folder: string, image: string): boolean {
  const errors = report.split('\n').filter((line) => line.startsWith('ERROR'))
  return isVersion2(join(folder, image)) && errors.every((line) => line.startsWith('ERROR OFLAG_COPIED'))
}

/** Everything that the image shows. @throws Error where the reference cannot read it */
export async function look(folder: string, backing: boolean): Promise<Found> {
  const info = await later('qemu-img', ['info', '--output=json', '-f', 'qcow2', 'image.qcow2'], folder)
  if (info.code !== 0) throw new Error(`info: ${info.stderr}`)
  const { snapshots = [] } = JSON.parse(info.stdout) as { readonly snapshots?: readonly { readonly name: string }[] }
  const shown = new Map<string, Uint32Array>()
  for (const { name } of snapshots) {
    shown.set(name, await content(folder, 'image.qcow2', ['-l', `snapshot.name=${name}`]))
  }
  return {
    sectors: await content(folder, 'image.qcow2', []),
    snapshots: shown,
    base: backing ? await content(folder, 'base.qcow2', []) : undefined,
  }
}

async function content(folder: string, image: string, which: readonly string[]): Promise<Uint32Array> {
  const raw = join(folder, 'look.raw')
  // Unsafe: nobody reads this file but us, at once.
  const convert = ['convert', '-t', 'unsafe', '-f', 'qcow2', '-O', 'raw', ...which, image, 'look.raw']
  const { code, stderr } = await later('qemu-img', convert, folder)
  if (code !== 0) throw new Error(`${convert.join(' ')}: ${stderr}`)
  const bytes = readFileSync(raw)
  rmSync(raw)
  return stampsOf(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length).slice())
}
