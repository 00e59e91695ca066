/** Drivers from outside: modules that the user names by `--driver` or in `BLOCKLAYER_DRIVERS`. */

import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { constants, Script } from 'node:vm'
import type { AnyDriver } from '@blocklayer/block-core'
import { CommandFailure } from '@blocklayer/qemu-io'

/**
 * The drivers that the module `specifier` exports.
 *
 * @param specifier - a path (absolute, or starting with `.`), or a package as seen from `directory`, or else from here
 * @param directory - the folder the user stands in
 * @throws CommandFailure where the module cannot be loaded or exports no driver
 */
export async function loadDrivers(specifier: string, directory: string): Promise<readonly AnyDriver[]> {
  const exported = await loadModule(specifier, directory)
  const drivers = Object.values(exported).filter(isDriver)
  // A module may export one driver under two names, for instance as default too.
  const distinct = [...new Set(drivers)]
  if (distinct.length === 0) throw new CommandFailure({ told: `Module '${specifier}' exports no block driver` })
  return distinct
}

async function loadModule(specifier: string, directory: string): Promise<object> {
  try {
    if (specifier.startsWith('.') || specifier.startsWith('/')) {
      return await import(pathToFileURL(resolve(directory, specifier)).href)
    }
    return await importPackage(specifier, directory)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandFailure({ told: `Could not load driver '${specifier}': ${reason}` }, { cause: error })
  }
}

/** Packages are looked for where the user stands first: they need not be installed beside this program. */
async function importPackage(specifier: string, directory: string): Promise<object> {
  try {
    return await importFrom(directory)(specifier)
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error
    return await import(specifier)
  }
}

/** `import()` as a module in `directory` would see it; no other interface of Node resolves from a folder of choice. */
function importFrom(directory: string): (specifier: string) => Promise<object> {
  const script = new Script('(specifier) => import(specifier)', {
    filename: join(directory, 'drivers.js'),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  return script.runInThisContext() as (specifier: string) => Promise<object>
}

function isDriver(value: unknown): value is AnyDriver {
  if (typeof value !== 'object' || value === null) return false
  const { formatName, kind, open } = value as Partial<Record<keyof AnyDriver, unknown>>
  return (
    typeof formatName === 'string' &&
    (kind === 'format' || kind === 'protocol' || kind === 'filter') &&
    typeof open === 'function'
  )
}
