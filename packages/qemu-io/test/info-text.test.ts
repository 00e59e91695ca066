/** Proves the lines of `info`: protocols have their name twice, lists and records are indented. */

import { type ChildSpec, defineDriver, nodeSpec } from '@blocklayer/block-core/driver'
import { expect, test } from 'vitest'
import { infoText } from '../src/info-text.ts'
import { bench } from './helpers/session.ts'

const talkative = (formatName: string) =>
  defineDriver<{ file: ChildSpec }, never>({
    formatName,
    kind: 'format',
    options: { file: { name: 'file', type: 'node', help: 'x' } },
    async open() {
      const data = { 'refcount-bits': 16, list: ['a', { b: true }] }
      return {
        length: 512,
        read: async () => {},
        info: () => ({ clusterSize: 4096, vmStateOffset: 2 ** 29, specific: { type: 'x', data } }),
        close: async () => {},
      }
    },
  })

test('a format with facts', async () => {
  const { backend } = await bench({ over: () => nodeSpec(talkative('x'), {} as never), readOnly: true })
  const { text, isComplete } = infoText(backend)
  expect(isComplete).toBe(true)
  expect(text.split('\n').slice(0, 4)).toEqual([
    'format name: x',
    'cluster size: 4 KiB',
    'vm state offset: 512 MiB',
    'Format specific information:',
  ])
  expect(text).toContain('    refcount bits: 16\n')
  expect(text).toContain('    list:\n        [0]: a\n        [1]:\n            b: true\n')
})

test('a protocol, and a driver that says nothing', async () => {
  const { backend } = await bench()
  expect(infoText(backend, 'mem').text).toMatch(/^format name: .*\nformat name: mem\ncluster size: 0 bytes\n/)
  const silent = await bench({ over: () => nodeSpec(talkative('null-co'), {} as never), readOnly: true })
  expect(infoText(silent.backend)).toEqual({ text: 'format name: null-co\n', isComplete: false })
})
