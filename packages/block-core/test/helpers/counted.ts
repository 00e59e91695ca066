/** A graph over named stores that counts what is open: nothing may stay open after a failure. */
import type { AnyDriver, BlockLayer } from '../../src/driver.ts'
import { type BlockGraph, createBlockGraph, type Diagnostic, type ImplicitOpenPolicy } from '../../src/index.ts'
import type { MemoryStore } from '../../src/testing/memory-driver.ts'
import { namedStores } from './named-stores.ts'
import { toyDriver } from './toy-format.ts'
import { plainDriver } from './world.ts'

export interface CountedWorld {
  readonly graph: BlockGraph
  readonly files: Map<string, MemoryStore>
  readonly messages: Diagnostic[]
  /** Names of layers that are open, by driver: `file`, `toy`. */
  readonly open: string[]
}

export function countedWorld(options: { implicitOpen?: ImplicitOpenPolicy; drivers?: AnyDriver[] } = {}): CountedWorld {
  const files: CountedWorld['files'] = new Map()
  const messages: Diagnostic[] = []
  const open: string[] = []
  const drivers = [namedStores(files), plainDriver, toyDriver, ...(options.drivers ?? [])]
  const graph = createBlockGraph({
    drivers: drivers.map((driver) => counted(driver, open)),
    implicitOpen: options.implicitOpen ?? 'allow',
    onDiagnostic: (message) => messages.push(message),
  })
  return { graph, files, messages, open }
}

function counted(driver: AnyDriver, open: string[]): AnyDriver {
  return {
    ...driver,
    async open(context, options) {
      const layer = await driver.open(context, options)
      open.push(driver.formatName)
      const close = async (): Promise<void> => {
        open.splice(open.indexOf(driver.formatName), 1)
        await layer.close()
      }
      return Object.create(layer, { close: { value: close } }) as BlockLayer
    },
  }
}
