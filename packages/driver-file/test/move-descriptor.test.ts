/** Proves that a descriptor goes where it is sent, for all who share it, and that failures have their code. */

import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { descriptorMover } from '../src/index.ts'
import { temporaryFolder } from './support.ts'

const path = join(temporaryFolder(), 'file')
const move = descriptorMover()

test('what another process writes next lies where the descriptor was sent', () => {
  const descriptor = openSync(path, 'w')
  writeSync(descriptor, 'begin')
  move?.(descriptor, 8)
  spawnSync('echo', ['end'], { stdio: ['ignore', descriptor, 'ignore'] })
  closeSync(descriptor)
  expect(readFileSync(path, 'latin1')).toBe('begin\0\0\0end\n')
})

test('a descriptor that is closed', () => {
  const descriptor = openSync(path, 'w')
  closeSync(descriptor)
  expect(() => move?.(descriptor, 0)).toThrow(expect.objectContaining({ code: 'EBADF' }))
})
