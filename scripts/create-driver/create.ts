/** Checks what is asked for, and writes the starting folder of a driver. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { root } from '../lib/workspace.ts'
import { licenceFile, settingsFiles } from './settings.ts'
import { sourceFiles } from './sources.ts'

/** What a driver is made from. */
export interface DriverPlan {
  /** The format's name: `slab`. */
  readonly format: string
  /** Below Blocklayer's own packages: dependencies come from the workspace. */
  readonly inWorkspace: boolean
  /** Version of Blocklayer that the driver is written for. */
  readonly version: string
}

/**
 * Makes `driver-NAME` in `folder`.
 *
 * @param args - one argument: the format's name
 * @returns the new folder
 * @throws Error for a bad name, or a folder that exists; nothing is written then
 */
export function createDriver(args: readonly string[], folder: string): string {
  const [format, ...more] = args.filter((arg) => arg !== '--')
  if (format === undefined || more.length > 0) throw new Error('give one name: pnpm create-driver NAME')
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(format) || format.length > 40) {
    throw new Error(`'${format}' is no name for a format: lower case letters, digits and single dashes, a letter first`)
  }
  if (format.startsWith('driver-')) throw new Error(`give the format's name alone: ${format.slice('driver-'.length)}`)
  if (taken().has(format)) throw new Error(`there is a driver named '${format}' already`)
  const target = resolve(folder, `driver-${format}`)
  if (existsSync(target)) throw new Error(`${target} exists`)
  const plan = { format, inWorkspace: isInWorkspace(target), version: coreVersion() }
  for (const [path, text] of driverFiles(plan)) {
    mkdirSync(dirname(join(target, path)), { recursive: true })
    writeFileSync(join(target, path), text)
  }
  return target
}

/** Every file of the folder, by its path in it. */
export function driverFiles(plan: DriverPlan): Map<string, string> {
  return new Map([...settingsFiles(plan), ...sourceFiles(plan), ['LICENSE', licenceFile()]])
}

/** Names that our own drivers have: two of one name cannot be in one graph. */
function taken(): ReadonlySet<string> {
  const dependencies = Object.keys(manifestOf(root).devDependencies ?? {})
  const names = dependencies.flatMap((name) => /^@blocklayer\/driver-(.+)$/.exec(name)?.[1] ?? [])
  return new Set([...names, 'mem', 'memory'])
}

/** Whether pnpm takes the folder for a package of this workspace. */
function isInWorkspace(target: string): boolean {
  return /^(packages|apps|examples)[/\\][^/\\]+$/.test(relative(root, target))
}

function coreVersion(): string {
  return manifestOf(join(root, 'packages/block-core')).version ?? '0.0.0'
}

interface Manifest {
  readonly version?: string
  readonly devDependencies?: Readonly<Record<string, string>>
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}
