/** The help lines are the reference's, given the reference's table. */

import { expect, test } from 'vitest'
import { formatOptionHelp, optionSpecs } from '../../src/options/help.ts'
import type { OptionSchema } from '../../src/options/schema.ts'
import { describeWithReference, qemuImg } from './reference.ts'

interface RawCreate {
  size: number
  preallocation: string
  nocow: boolean
  extentSizeHint: number
  plain: string
  count: number
}

const schema: OptionSchema<RawCreate> = {
  size: { name: 'size', type: 'size', help: 'Virtual disk size' },
  preallocation: {
    name: 'preallocation',
    type: ['off', 'falloc', 'full'],
    help: 'Preallocation mode (allowed values: off, falloc, full)',
  },
  nocow: { name: 'nocow', type: 'bool', help: 'Turn off copy-on-write (valid only on btrfs)' },
  extentSizeHint: { name: 'extent_size_hint', type: 'size', help: 'Extent size hint for the image file, 0 to disable' },
  plain: { name: 'x', type: 'string', help: '' },
  count: { name: 'n', type: 'number', help: 'n' },
}

test('types, padding and order', () => {
  expect(formatOptionHelp(schema)).toEqual([
    '  extent_size_hint=<size> - Extent size hint for the image file, 0 to disable',
    '  n=<num>                - n',
    '  nocow=<bool (on/off)>  - Turn off copy-on-write (valid only on btrfs)',
    '  preallocation=<str>    - Preallocation mode (allowed values: off, falloc, full)',
    '  size=<size>            - Virtual disk size',
    '  x=<str>',
  ])
})

test('specs come in declaration order', () => {
  expect(optionSpecs(schema).map(({ name }) => name)).toEqual([
    ...['size', 'preallocation', 'nocow', 'extent_size_hint', 'x', 'n'],
  ])
})

describeWithReference('against qemu-img create -f raw -o help x', () => {
  test('the same lines', () => {
    const { stdout } = qemuImg('create', '-f', 'raw', '-o', 'help', 'x')
    const ours = formatOptionHelp(schema).filter((line) => !/^ {2}[nx]=/.test(line))
    expect(`Supported options:\n${ours.join('\n')}\n`).toBe(stdout)
  })
})
