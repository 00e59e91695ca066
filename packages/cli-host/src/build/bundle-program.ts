/** Builds our programs: what is started, and the program that it runs, whose parts are not even compiled until needed. */

import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import type { Options } from 'tsup'

/**
 * The settings of `tsup` in a program's folder, whose `src/main.ts` is what is started and `src/program.ts` the program.
 *
 * @param name - of what is started
 * @param folder - where both go
 */
export function programBuild(name: string, folder: string): Options {
  return {
    entry: { [name]: 'src/main.ts' },
    format: 'cjs',
    outDir: folder,
    outExtension: () => ({ js: '.js' }),
    target: 'node20',
    platform: 'node',
    dts: false,
    // Files of fixed names: there is nothing to clean, and who runs them meanwhile still finds them.
    clean: false,
    splitting: false,
    minifySyntax: true,
    minifyWhitespace: true,
    noExternal: [/^@blocklayer\//],
    esbuildOptions: (options) => {
      options.conditions = ['@blocklayer/source']
    },
    // koffi carries a binary; it stays beside the bundle as an optional dependency.
    onSuccess: () => bundleProgram({ entry: 'src/program.ts', folder, external: ['koffi'] }),
  }
}

/** What to bundle. */
export interface BundlePlan {
  /** The program's first module, a path. */
  readonly entry: string
  /** Where `program.js` goes, and the `package.json` that `runBundle` needs beside it. */
  readonly folder: string
  /** Packages that stay outside. */
  readonly external: readonly string[]
}

/** A part of the bundle: what is always needed together. */
interface Part {
  /** The name that other parts require it by. */
  readonly name: string
  readonly code: string
}

/**
 * Bundles the program as CommonJS in plain ASCII. What is reached by `import()` alone is run when it is first asked for.
 *
 * A command needs a part of the program. Were the others only not run, their functions would be made all the same, and
 * be read from the compiled code, at every start.
 *
 * @throws Error where something is not found, or is not right in the bundler's eyes
 */
export async function bundleProgram({ entry, folder, external }: BundlePlan): Promise<void> {
  const text = wholeOf(await partsOf(entry, external))
  const buildId = createHash('sha256').update(text).digest('hex').slice(0, 16)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'program.js'), text)
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ type: 'commonjs', buildId })}\n`)
}

async function partsOf(entry: string, external: readonly string[]): Promise<Part[]> {
  const bundle = await rolldown({
    input: { program: entry },
    platform: 'node',
    external: [...external],
    transform: { target: 'node20' },
    // Sources, so that the bundle never contains a stale build of another package.
    resolve: { conditionNames: ['@blocklayer/source', 'node', 'import', 'default'] },
    onLog: (level, { message }) => {
      if (level === 'warn') throw new Error(message)
    },
  })
  const { output } = await bundle.generate({
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    comments: false,
    // Names stay as they are: where the program fails unexpectedly, it says in which function.
    minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
  })
  await bundle.close()
  return output.flatMap((file) => (file.type === 'chunk' ? [{ name: `./${file.fileName}`, code: file.code }] : []))
}

/** Runs a part when it is first required; what is no part comes from outside. */
const loader = `const made = {}
const requirePart = (name) => {
  if (!Object.hasOwn(parts, name)) return require(name)
  if (made[name] === undefined) parts[name]((made[name] = { exports: {} }).exports, requirePart, made[name])
  return made[name].exports
}
module.exports = requirePart('./program.js')
`

function wholeOf(parts: readonly Part[]): string {
  const methods = parts.map(({ name, code }) => `${JSON.stringify(name)}(exports, require, module) {${code}\n}`)
  return escaped(`'use strict'\nconst parts = {${methods.join(',\n')}}\n${loader}`)
}

/** Whatever is not ASCII stands in strings, templates and expressions, where an escape means the same. */
function escaped(code: string): string {
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
