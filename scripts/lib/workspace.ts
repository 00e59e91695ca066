/** Where things are in this workspace, and how the tools in it are run. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The workspace's root folder. */
export const root: string = resolve(import.meta.dirname, '../..')

/** Our qemu-img, built: one bundled file. */
export const cliPath: string = join(root, 'apps/qemu-img-cli/dist/qemu-img.js')

/** What a finished process left: its exit code (128 + n for signal n) and its output. */
export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Programs for the administrator are not on everybody's path, and may be run by everybody all the same. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }

/** Runs a program to its end, without a shell. A program that is not there gives 127, as a shell would. */
export function run(program: string, args: readonly string[], cwd = process.cwd()): Finished {
  const result = spawnSync(program, args, { cwd, env, encoding: 'utf8', maxBuffer: 64 << 20 })
  if (result.error !== undefined) return { code: 127, stdout: '', stderr: result.error.message }
  return { code: result.status ?? 128, stdout: result.stdout, stderr: result.stderr }
}

/** One of the two qemu-img that the scripts run side by side. */
export interface Tool {
  readonly name: 'ours' | 'reference'
  /** Program and first arguments. */
  readonly command: readonly [string, ...string[]]
}

/** Our qemu-img; `ensureCli` builds it. */
export const ours: Tool = { name: 'ours', command: [process.execPath, cliPath] }

/** The reference's qemu-img, where it is installed. */
export const reference: Tool = { name: 'reference', command: ['qemu-img'] }

/** Runs a qemu-img to its end, in `cwd`. */
export function runTool(tool: Tool, cwd: string, ...args: string[]): Finished {
  const [program, ...first] = tool.command
  return run(program, [...first, ...args], cwd)
}

/** Whether a program can be started at all. */
export function isInstalled(program: string): boolean {
  return run(program, ['-V']).code !== 127
}

/** The outcome of `finished`, or an error that shows what was run and all it said. */
export function mustSucceed(what: string, finished: Finished): Finished {
  if (finished.code !== 0) throw new Error(`${what}: exit code ${finished.code}\n${finished.stdout}${finished.stderr}`)
  return finished
}

/**
 * Builds our qemu-img where its build is missing or older than a source, and says nothing unless that fails.
 *
 * @returns the path of the built file
 * @throws Error with the build's output
 */
export function ensureCli(): string {
  return ensureBuilt('qemu-img-cli', cliPath)
}

/** Like `ensureCli`, for the app in `apps/<app>` whose built file is `built`. */
export function ensureBuilt(app: string, built: string): string {
  if (isStale(app, built)) {
    // The app alone: it is bundled from sources, so that no other package needs to be built first.
    const cwd = join(root, 'apps', app)
    const env = { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` }
    const build = spawnSync('tsup', ['--silent'], { cwd, env, encoding: 'utf8' })
    if (build.status !== 0) throw new Error(`The build of ${app} failed:\n${build.stdout}${build.stderr}`)
  }
  return built
}

function isStale(app: string, built: string): boolean {
  if (!existsSync(built)) return true
  const builtAt = statSync(built).mtimeMs
  const folders = [`apps/${app}`, ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)]
  return folders.some((folder) => newestChange(join(root, folder)) > builtAt)
}

/** Time of the newest file below `folder`, in milliseconds; what is installed, built or a test does not count. */
function newestChange(folder: string): number {
  let newest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (['node_modules', 'dist', 'test', '.turbo'].includes(entry.name)) continue
    const path = join(folder, entry.name)
    newest = Math.max(newest, entry.isDirectory() ? newestChange(path) : statSync(path).mtimeMs)
  }
  return newest
}

/** Runs `use` with a fresh folder for its files, and removes the folder however `use` ends. */
export async function withFolder<T>(
  name: string,
  use: (folder: string) => T | Promise<T>,
  parent = tmpdir(),
): Promise<T> {
  const folder = mkdtempSync(join(parent, `blocklayer-${name}-`))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  // An interrupt ends the process without running `finally`; hundreds of megabytes would stay behind.
  const interrupted = () => {
    remove()
    process.exit(130)
  }
  process.once('SIGINT', interrupted)
  try {
    return await use(folder)
  } finally {
    process.off('SIGINT', interrupted)
    remove()
  }
}
