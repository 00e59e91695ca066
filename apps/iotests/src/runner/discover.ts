/** Finds the tests: every folder `NNN-name` under `tests/` is one. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { appFolder } from './app-folder.ts'
import type { IoTest } from './io-test.ts'

/** A test and where its golden output is. */
export interface DiscoveredTest {
  /** The folder's name, `097-backing-chain-commits`. */
  readonly name: string
  /** The three digits it is called by. */
  readonly number: string
  readonly expectedPath: string
  readonly test: IoTest
}

/** A selection that means no test: its message is for the user. */
export class SelectionError extends Error {
  override readonly name = 'SelectionError'
}

/** Golden files stand with the sources only: a build reads them there, and `--record` writes them there. */
const goldenFolder = join(appFolder, 'src/tests')

/** The modules, as sources beside the runner's or as builds: `../tests` from sources, `tests` in the flat build. */
const moduleFolder = import.meta.dirname.endsWith('runner')
  ? { path: join(import.meta.dirname, '../tests'), file: 'test.ts' }
  : { path: join(import.meta.dirname, 'tests'), file: 'test.js' }

/** All tests in the order of their numbers. @throws Error for a module that exports no `test` */
export async function discoverTests(): Promise<DiscoveredTest[]> {
  const names = readdirSync(goldenFolder).filter((name) => /^\d{3}-/.test(name))
  return Promise.all(names.sort().map(load))
}

async function load(name: string): Promise<DiscoveredTest> {
  const path = join(moduleFolder.path, name, moduleFolder.file)
  const { test } = (await import(pathToFileURL(path).href)) as { readonly test?: IoTest }
  if (test === undefined) throw new Error(`${path} exports no 'test'`)
  return { name, number: name.slice(0, 3), expectedPath: join(goldenFolder, name, 'expected.out'), test }
}

/**
 * The tests that `words` name, by number (`97`, `097`) or whole name; all of them without words.
 *
 * @throws SelectionError for a word that names no test
 */
export function selectTests(all: readonly DiscoveredTest[], words: readonly string[]): DiscoveredTest[] {
  if (words.length === 0) return [...all]
  const wanted = words.map((word) => {
    const found = all.find(({ name, number }) => name === word || number === word.padStart(3, '0'))
    if (found === undefined) throw new SelectionError(`No test '${word}'`)
    return found
  })
  return all.filter((test) => wanted.includes(test))
}
