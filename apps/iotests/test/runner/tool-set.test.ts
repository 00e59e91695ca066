// Whatever the user calls an implementation, the two commands that run are the ones meant, or it is said what is missing.
import { mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { chooseTools, programNameOf, ToolChoiceError } from '../../src/runner/tool-set.ts'
import { scriptTools } from '../support/fake-tools.ts'
import { temporaryFolder } from '../support/folder.ts'

const folder = temporaryFolder()

afterEach(() => {
  vi.unstubAllEnvs()
})

test('a folder with both programs', () => {
  const bin = join(folder, 'bin')
  mkdirSync(join(bin, 'qemu-img'), { recursive: true })
  expect(() => chooseTools({ tools: bin })).toThrow(new ToolChoiceError(`No qemu-io in '${bin}'`))
  mkdirSync(join(bin, 'qemu-io'))
  expect(chooseTools({ tools: bin })).toEqual({
    name: bin,
    commands: { 'qemu-img': [join(bin, 'qemu-img')], 'qemu-io': [join(bin, 'qemu-io')] },
  })
})

test('two commands are an implementation', () => {
  expect(chooseTools({ qemuImg: 'node  img.js', qemuIo: '/opt/io' })).toEqual({
    name: 'given',
    commands: { 'qemu-img': ['node', 'img.js'], 'qemu-io': ['/opt/io'] },
  })
})

test('a path from here stays one when a test runs elsewhere', () => {
  const here = relative(process.cwd(), import.meta.filename)
  const tools = chooseTools({ qemuImg: `node ./${here} ./none`, qemuIo: 'b' })
  expect(tools.commands['qemu-img']).toEqual(['node', import.meta.filename, './none'])
})

test('one command replaces one program', () => {
  vi.stubEnv('PATH', join(folder, 'bin'))
  const tools = chooseTools({ tools: 'reference', qemuIo: 'my-io -x' })
  expect(tools.name).toBe('reference with qemu-io given')
  expect(tools.commands).toEqual({ 'qemu-img': [join(folder, 'bin/qemu-img')], 'qemu-io': ['my-io', '-x'] })
})

test('a missing reference and an empty command are told', () => {
  vi.stubEnv('PATH', join(folder, 'nothing'))
  expect(() => chooseTools({ tools: 'reference' })).toThrow("The reference's qemu-img is not installed")
  expect(() => chooseTools({ qemuImg: ' ' })).toThrow('--qemu-img needs a command')
})

test('a program calls itself by its own name, a script by its file', () => {
  expect(programNameOf(scriptTools(folder, {}).commands['qemu-img'])).toBe('my-qemu-img')
  expect(programNameOf(['/usr/bin/node', '--flag', '/x/qemu-img.js'])).toBe('qemu-img.js')
  expect(programNameOf(['node'])).toBe('node')
})
