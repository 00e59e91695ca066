// Host space: what the driver says, else the children's sum without the backing file, else unknown.
import { expect, test } from 'vitest'
import { ChildRoles, type ChildSpec, defineDriver, type NodeSpec, nodeSpec } from '../../src/driver.ts'
import { hostBytesOf } from '../../src/index.ts'
import { openSpec } from '../helpers/open-recorder.ts'

const roles = { file: ChildRoles.image, data: ChildRoles.data, backing: ChildRoles.cow } as const

const driver = defineDriver<{ own?: number; file?: ChildSpec; data?: ChildSpec; backing?: ChildSpec }, never>({
  formatName: 'sized',
  kind: 'format',
  supportsBacking: true,
  options: {
    own: { name: 'own', type: 'size', help: 'x' },
    file: { name: 'file', type: 'node', help: 'x' },
    data: { name: 'data', type: 'node', help: 'x' },
    backing: { name: 'backing', type: 'node', help: 'x' },
  },
  async open(context, options) {
    for (const name of ['file', 'data', 'backing'] as const)
      if (options[name] !== undefined) await context.attach(name, roles[name], options[name])
    const { own } = options
    return {
      length: 512,
      read: async () => {},
      ...(own === undefined ? {} : { allocatedBytes: async () => own }),
      close: async () => {},
    }
  },
})

const of = (own: number): NodeSpec => nodeSpec(driver, { own })

test.each<[string, NodeSpec, number | undefined]>([
  ['a driver that knows', of(4096), 4096],
  ['the sum of all children but the backing file', nodeSpec(driver, { file: of(1), data: of(2), backing: of(4) }), 3],
  ['through several levels', nodeSpec(driver, { file: nodeSpec(driver, { file: of(7) }) }), 7],
  [
    'a part that is unknown makes all unknown',
    nodeSpec(driver, { file: of(1), data: nodeSpec(driver, {}) }),
    undefined,
  ],
  ['a leaf that does not know', nodeSpec(driver, {}), undefined],
])('%s', async (_name, spec, bytes) => {
  await using opened = await openSpec(spec, { readOnly: true })
  expect(await hostBytesOf(opened.disk.root)).toBe(bytes)
})
