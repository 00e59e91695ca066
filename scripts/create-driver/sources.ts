/** The code of a new driver: it shows its file as it is, and passes the contract suite. */
import type { DriverPlan } from './create.ts'
import { camelCase } from './settings.ts'

/** Sources and tests by their paths. */
export function sourceFiles({ format }: DriverPlan): [string, string][] {
  const name = camelCase(format)
  const type = name[0]!.toUpperCase() + name.slice(1)
  return [
    ['src/index.ts', index(name, type)],
    ['src/driver.ts', driver(format, name, type)],
    ['src/layer.ts', layer(format, type)],
    ['test/contract.test.ts', contractTest(format, name)],
  ]
}

function index(name: string, type: string): string {
  return `export { ${name}, ${name}Driver, type ${type}Options } from './driver.ts'
`
}

function driver(format: string, name: string, type: string): string {
  return `/** The \`${format}\` driver: names, options and opening. */

import {
  type BlockDriver,
  ChildRoles,
  type ChildSpec,
  defineDriver,
  type NodeSpec,
  nodeSpec,
} from '@blocklayer/block-core/driver'
import { ${type}Layer } from './layer.ts'

/** Options of a \`${format}\` node. */
export interface ${type}Options {
  /** The file that holds the image. */
  readonly file?: ChildSpec
}

/** ${type} disk images. */
export const ${name}Driver: BlockDriver<${type}Options, never> = defineDriver<${type}Options>({
  formatName: '${format}',
  kind: 'format',
  options: { file: { name: 'file', type: 'node', required: true, help: 'the file that holds the image' } },
  // 0 to 100, from the first bytes of a file. An image of this format has nothing that it could be known by yet.
  probe: () => 1,
  async open(context, options) {
    const file = await context.attach('file', ChildRoles.image, options.file)
    return new ${type}Layer(file)
  },
})

/** Describes a ${format} node in code. */
export function ${name}(options: ${type}Options): NodeSpec<${type}Options> {
  return nodeSpec(${name}Driver, options)
}
`
}

function layer(format: string, type: string): string {
  return `/** An open ${format} image: guest bytes are file bytes, until the format says otherwise. */

import type { BlockLayer, Child, MappingSupport, WriteSupport } from '@blocklayer/block-core/driver'

/** What an open image can do. What is left out is refused by name. */
export class ${type}Layer implements BlockLayer {
  readonly writer: WriteSupport
  readonly mapping: MappingSupport
  readonly #file: Child

  constructor(file: Child) {
    this.#file = file
    this.writer = {
      write: (offset, data) => file.write(offset, data),
      truncate: (length, options) => file.truncate(length, options),
    }
    this.mapping = {
      // "Ask the file, at the same offset."
      blockStatus: async (offset, bytes) => ({ bytes, data: false, zero: false, raw: true, hostOffset: offset }),
    }
  }

  get length(): number {
    return this.#file.length
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.#file.read(offset, into)
  }

  /** Nothing here depends on the mode. */
  async reopen(): Promise<void> {}

  async close(): Promise<void> {}
}
`
}

function contractTest(format: string, name: string): string {
  return `// Proves that ${format} does what every driver must do.
import { contractCases, driverContract } from '@blocklayer/block-core/testing'
import { test } from 'vitest'
import { ${name}Driver } from '../src/index.ts'

for (const { name, run } of contractCases(driverContract(${name}Driver))) test(name, run)
`
}
