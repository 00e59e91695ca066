/** Builds the program before its tests if a source is newer than the build. */

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const app = join(import.meta.dirname, '../..')
const root = join(app, '../..')
const built = join(app, 'dist/qemu-io.js')

/** Called by vitest once. */
export function setup(): void {
  const sources = [
    join(app, 'src'),
    ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'src')),
  ]
  const newest = Math.max(...sources.map(newestChange), changed(join(app, 'tsup.config.ts')))
  if (existsSync(built) && statSync(built).mtimeMs > newest) return
  execFileSync(process.execPath, [join(root, 'node_modules/tsup/dist/cli-default.js'), '--silent'], {
    cwd: app,
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
