// Proves that every option has a long name where QEMU 10 is spoken, as it has since 10.1, that it means what the letter
// means, and that 7.2 knows none of these names, in the reference's words.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetoptLong, tableOf } from '@blocklayer/command-line'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandOptions } from '../src/args/command-options.ts'
import { commandTables } from '../src/tables/index.ts'
import { hasReference, needsReference, type Outcome, ours, oursHere, reference } from './support/tools.ts'

let cwd: string
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'blocklayer-long-'))
  await oursHere(['create', '-q', '-f', 'qcow2', 'image', '1M'], { cwd })
  await oursHere(['create', '-q', 'data', '1M'], { cwd })
})
afterAll(() => rmSync(cwd, { recursive: true }))

const newNames = commandTables.flatMap(({ name, options }) =>
  options
    .filter(({ long, long10, since }) => since === '10' || (long10 !== undefined && long === undefined))
    .map(({ long10, long = long10, letter }) => ({ name, word: long === undefined ? `-${letter}` : `--${long}` })),
)

test('every option has a long name since then', () => {
  for (const table of commandTables) {
    const options = commandOptions(table, '10')
    const meant = options.map(({ means }) => means)
    const nameless = options.filter(
      ({ long, letter, means }) => long === undefined && means === undefined && !meant.includes(letter),
    )
    expect(nameless.map(({ letter }) => `${table.name} -${letter}`)).toEqual([])
    for (const { long = '', letter, value, means } of options.filter((option) => option.long10 !== undefined)) {
      const argv = [table.name, `--${long}`, ...(value === undefined ? [] : ['x'])]
      const step = new GetoptLong(argv, tableOf(options)).next()
      expect(step).toMatchObject({ kind: 'option', id: letter, argument: value === undefined ? undefined : 'x' })
      expect(means).toBeUndefined()
    }
  }
  expect(newNames.length).toBeGreaterThan(70)
})

describe.skipIf(!hasReference)(needsReference('as QEMU 7.2'), () => {
  test.each(commandTables.map(({ name }) => name))('%s knows none of them', async (command) => {
    for (const { name, word } of newNames) {
      // That name is ours in 7.2.
      if (name !== command || word === '--progress') continue
      const args = [name, word, ...(name === 'resize' ? ['image', '1M'] : [])]
      const { stdout: _, ...theirs } = reference(args, { cwd })
      const { stdout: __, ...mine } = await oursHere(args, { cwd })
      expect(mine).toEqual(theirs)
      expect(mine.stderr).toMatch(/unrecognized option|invalid option/)
    }
  })
})

describe('as QEMU 10', () => {
  const run = (line: string): Outcome => ours(line.split(' '), { cwd, env: { BLOCKLAYER_COMPAT: '10' } })

  test.each([
    ['create --quiet --format qcow2 --options cluster_size=4k --backing image --backing-format qcow2 top'],
    ['create -q -f qcow2 -b image -B qcow2 --backing-unsafe top2 2M'],
    ['snapshot --format qcow2 --create s image'],
    ['snapshot --apply s image'],
    ['snapshot --delete s --quiet image'],
    ['rebase --backing image -B qcow2 --format qcow2 --cache writeback --backing-cache writeback top'],
    ['commit --drop --base image --rate-limit 0 --quiet top'],
    ['convert --no-create --source-format qcow2 --target-format raw --parallel 4 --oob-writes image data'],
    ['convert --compress --target-format-options cluster_size=4k --sparse-size 4k -O qcow2 image packed'],
    ['convert -O qcow2 -b image -F qcow2 top over'],
    ['dd --output-format qcow2 --format qcow2 if=image of=copy'],
    ['bench --count 2 --depth 1 --buffer-size 512 --step-size 512 --offset 0 --write --quiet image'],
    ['resize --quiet --format qcow2 image 2M'],
    ['amend --quiet --options lazy_refcounts=on --format qcow2 image'],
  ])('%s', (line) => {
    const { stderr, status } = run(line)
    expect([stderr, status]).toEqual(['', 0])
  })

  test('compare and measure', () => {
    expect(run('compare --a-format qcow2 --b-format qcow2 --strict image image').stdout).toBe('Images are identical.\n')
    expect(run('measure --target-format qcow2 --options cluster_size=4k -s 1M')).toMatchObject({
      stderr: '',
      status: 0,
    })
  })

  test('--progress is -p, and with a form attached ours', () => {
    const shown = run('convert -p data copy').stdout
    expect(shown).toContain('(100.00/100%)')
    expect(run('convert --progress data copy')).toEqual({ stdout: shown, stderr: '', status: 0 })
    expect(run('convert --prog data copy').stdout).toBe(shown)
    expect(run('convert --progress=json data copy').stderr).toContain('{"event":"progress","percent":0')
    expect(run('convert --progress=none -p data copy').stdout).toBe('')
    // It has none in QEMU 10: there it is ours alone.
    expect(run('dd --progress text if=data of=copy').stdout).toContain('(100.00/100%)')
  })
})
