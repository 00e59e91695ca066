/** Bundles the process that is killed into one file: it starts hundreds of times. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lib/workspace.ts'

/** Puts the program into `folder`. @returns its path @throws Error with the bundler's output */
export function bundleChild(folder: string): string {
  const bin = join(root, 'node_modules/.bin')
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, BLOCKLAYER_BUNDLE: folder }
  const config = join(import.meta.dirname, 'tsup.config.ts')
  const build = spawnSync('tsup', ['--silent', '--config', config], { cwd: import.meta.dirname, env, encoding: 'utf8' })
  if (build.status !== 0) throw new Error(`The build of the child failed:\n${build.stdout}${build.stderr}`)
  // The optional native part, as it is found beside an installed program.
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(root, 'packages/driver-file/node_modules/koffi'), join(folder, 'node_modules/koffi'))
  return join(folder, 'child.js')
}
