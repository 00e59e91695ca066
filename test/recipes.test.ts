// Scripts as packagers, test farms and backup tools have them, not changed in a letter: they cannot tell our tools from the
// reference's. What both print, how they end and what every image holds is the same.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeRootFilesystem, partitionTable } from './recipes/disks.ts'
import { cliPath, ensureBuilt, ensureCli, isInstalled, mustSucceed, root, run } from '../scripts/lib/workspace.ts'

const scripts = readdirSync(join(import.meta.dirname, 'recipes')).filter((name) => name.endsWith('.sh'))
const isPossible = isInstalled('qemu-img') && isInstalled('qemu-io') && isInstalled('mke2fs')
const sides = ['ours', 'reference'] as const

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-recipes-'))
  if (!isPossible) return
  makeRootFilesystem(join(folder, 'rootfs.ext4'), 32)
  const io = ensureBuilt('qemu-io-cli', join(root, 'apps/qemu-io-cli/dist/qemu-io.js'))
  ensureCli()
  mkdirSync(join(folder, 'bin'))
  for (const [name, program] of Object.entries({ 'qemu-img': cliPath, 'qemu-io': io })) {
    const path = join(folder, 'bin', name)
    writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`)
    chmodSync(path, 0o755)
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What a script leaves: its output, and the images. */
interface Left {
  readonly code: number
  readonly output: string
  readonly files: readonly string[]
}

function play(script: string, side: (typeof sides)[number]): Left {
  const place = join(folder, script.replace('.sh', ''), side)
  mkdirSync(place, { recursive: true })
  copyFileSync(join(folder, 'rootfs.ext4'), join(place, 'rootfs.ext4'))
  writeFileSync(join(place, 'table.bin'), partitionTable(2048, 65536))
  const path = side === 'ours' ? `${join(folder, 'bin')}:$PATH` : '$PATH'
  const text = readFileSync(join(import.meta.dirname, 'recipes', script), 'utf8')
  const { code, stdout } = run('sh', ['-euc', `exec 2>&1; PATH=${path}; export PATH\n${text}`], place)
  return { code, output: stdout, files: readdirSync(place).sort() }
}

describe.skipIf(!isPossible && process.env.CI === undefined)('scripts (needs qemu-img, qemu-io and mke2fs)', () => {
  test('there are five at least', () => expect(scripts.length).toBeGreaterThanOrEqual(5))

  test.each(scripts)('%s', (script) => {
    const [ours, reference] = [play(script, 'ours'), play(script, 'reference')]
    expect(ours).toEqual(reference)
    expect(ours.code).toBe(0)
    for (const name of ours.files.filter((file) => /qcow2|raw|volume/.test(file))) {
      const images = sides.map((side) => join(folder, script.replace('.sh', ''), side, name))
      mustSucceed(name, run('qemu-img', ['compare', ...images]))
    }
  })
})
