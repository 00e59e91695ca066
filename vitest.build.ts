/** Builds an app before its tests, if a source is newer than the build. */

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = import.meta.dirname

/**
 * Called by an app's `test/support/global-setup.ts`.
 *
 * @param app - folder below `apps`
 * @param built - what the build makes, below the app's folder
 */
export function buildApp(app: string, built: string): void {
  const folder = join(root, 'apps', app)
  const output = join(folder, built)
  const sources = [
    join(folder, 'src'),
    ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'src')),
  ]
  const newest = Math.max(...sources.map(newestChange), changed(join(folder, 'tsup.config.ts')))
  if (existsSync(output) && changed(output) > newest) return
  execFileSync(process.execPath, [join(root, 'node_modules/tsup/dist/cli-default.js'), '--silent'], {
    cwd: folder,
    stdio: 'inherit',
  })
}

function newestChange(folder: string): number {
  if (!existsSync(folder)) return 0
  const entries = readdirSync(folder, { withFileTypes: true })
  return Math.max(
    0,
    ...entries.map((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? newestChange(path) : changed(path)
    }),
  )
}

function changed(path: string): number {
  return statSync(path).mtimeMs
}
