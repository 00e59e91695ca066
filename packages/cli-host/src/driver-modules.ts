/** Drivers from outside: modules that the user names by `--driver` or in `BLOCKLAYER_DRIVERS`. */

import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { constants, Script } from 'node:vm'
import type { AnyDriver } from '@blocklayer/block-core'

/** A module that cannot be used; the message is for the user. */
export class DriverModuleError extends Error {
  override readonly name = 'DriverModuleError'
}

/** How modules are loaded. */
export interface ModuleLoading {
  /** Paths begin with `/` or `.`; packages are looked for from `directory` first, then from the program. */
  readonly modules: readonly string[]
  /** The folder the user stands in. */
  readonly directory: string
  /** `import()` as the program sees it: a bundle that runs from compiled code has none of its own. */
  readonly importModule: ImportModule
}

/** `import()`. */
export type ImportModule = (specifier: string) => Promise<object>

/**
 * `builtIn`, and the drivers that the modules export.
 *
 * @throws DriverModuleError where a module cannot be loaded, exports no driver, or one whose name is taken
 */
export async function driversWithModules(builtIn: readonly AnyDriver[], loading: ModuleLoading): Promise<AnyDriver[]> {
  const drivers = [...builtIn]
  for (const module of loading.modules) {
    for (const driver of await loadDrivers(module, loading)) {
      if (drivers.some(({ formatName }) => formatName === driver.formatName)) {
        throw new DriverModuleError(`Module '${module}' defines driver '${driver.formatName}' again`)
      }
      drivers.push(driver)
    }
  }
  return drivers
}

async function loadDrivers(specifier: string, loading: ModuleLoading): Promise<readonly AnyDriver[]> {
  const exported = await loadModule(specifier, loading)
  const drivers = Object.values(exported).filter(isDriver)
  // A module may export one driver under two names, for instance as default too.
  const distinct = [...new Set(drivers)]
  if (distinct.length === 0) throw new DriverModuleError(`Module '${specifier}' exports no block driver`)
  return distinct
}

async function loadModule(specifier: string, loading: ModuleLoading): Promise<object> {
  const { directory, importModule } = loading
  try {
    if (specifier.startsWith('.') || specifier.startsWith('/')) {
      return await importModule(pathToFileURL(resolve(directory, specifier)).href)
    }
    return await importPackage(specifier, loading)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new DriverModuleError(`Could not load driver '${specifier}': ${reason}`, { cause: error })
  }
}

/** Packages are looked for where the user stands first: they need not be installed beside this program. */
async function importPackage(specifier: string, { directory, importModule }: ModuleLoading): Promise<object> {
  try {
    return await importFrom(directory)(specifier)
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error
    return await importModule(specifier)
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
