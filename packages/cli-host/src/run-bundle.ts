/** Runs a bundle from compiled code, and keeps the compiled code for the next run. */

import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { cacheFolder } from './cache-folder.ts'
import { readCode, writeCode } from './code-file.ts'

/** A program that is one file of CommonJS in plain ASCII. */
export interface BundledProgram {
  /** Begins the names of cached files. */
  readonly name: string
  /** Where the bundle is, and a `package.json` whose `buildId` changes with it; without one, no code is kept. */
  readonly folder: string
  /** The bundle's file in the folder. */
  readonly file: string
  /** What this run is about: runs of one kind need the same functions. Letters, digits and dashes. */
  readonly kind: string
}

/** What a CommonJS module is called with. */
type Wrapper = (exports: object, require: NodeJS.Require, module: object, filename: string, folder: string) => void

/**
 * Runs the program in this process. It has no `import()`: whoever starts it hands it his own.
 *
 * @returns what the bundle exports
 * @throws what it throws; nothing about the cache is ever a failure
 */
export function runBundle(program: BundledProgram): object {
  const path = join(program.folder, program.file)
  // Plain ASCII: as single bytes it is neither decoded nor doubled.
  const source = readFileSync(path, 'latin1')
  const folder = cacheFolder(process.env)
  const file = folder === undefined ? undefined : codeName(program)
  const place = folder === undefined || file === undefined ? undefined : { folder, file }
  const cachedData = place === undefined ? undefined : readCode(place)
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: path,
    ...(cachedData === undefined ? {} : { cachedData }),
  })
  if (place !== undefined && (cachedData === undefined || script.cachedDataRejected === true)) {
    // At the end, with all functions that this run came to need.
    process.on('exit', (status) => {
      if (status === 0) writeCode(place, program.name, () => script.createCachedData())
    })
  }
  const module = { exports: {} }
  const wrapper = script.runInThisContext() as Wrapper
  wrapper(module.exports, createRequire(path), module, path, program.folder)
  return module.exports
}

/**
 * Other releases, and other builds of the program, have other files; a build without a name has none. V8 itself knows the
 * source by its length alone: so a bundle that was changed in its place is another one too.
 */
function codeName({ name, folder, file, kind }: BundledProgram): string | undefined {
  const path = join(folder, 'package.json')
  if (!existsSync(path)) return undefined
  const { buildId } = JSON.parse(readFileSync(path, 'latin1')) as { readonly buildId?: unknown }
  if (typeof buildId !== 'string') return undefined
  const { size, mtimeMs, ino } = statSync(join(folder, file))
  const stamp = [size, Math.trunc(mtimeMs), ino].map((part) => part.toString(36)).join('.')
  return `${name}-${buildId}-${stamp}-${process.version}-${process.arch}-${kind}.bin`
}
