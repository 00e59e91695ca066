// Proves how much the contract covers: how many command lines are run by both tools, and that every option that the
// reference has occurs among them. The numbers are printed, so that nobody has to believe them.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { words } from './run-table.ts'

/** Options of each command as the reference has them: spec/qemu-img.md, section 2. */
const options: Readonly<Record<string, string>> = {
  amend: '-o -f -t -p -q --image-opts --force --object',
  bench: '-c -d -f -i -n -o -q -s -S -t -w -U --flush-interval --image-opts --no-drain --pattern --force-share',
  bitmap:
    '-b -f -F -g --image-opts --add --remove --clear --enable --disable --merge --granularity --source-file --source-format --object',
  check: '-f -r -T -q -U --format --repair --output --image-opts --force-share --object',
  commit: '-f -t -b -d -p -q -r --image-opts --object',
  compare: '-f -F -T -p -q -s -U --image-opts --force-share --object',
  convert:
    '-f -O -B -C -c -F -o -l -S -p -t -T -q -n -m -W -U -r --image-opts --force-share --target-image-opts --salvage --target-is-zero --bitmaps --skip-broken-bitmaps --object',
  create: '-F -b -f -o -q -u --object',
  dd: '-f -O -U --image-opts --force-share --object',
  info: '-f -U --format --output --backing-chain --image-opts --force-share --object',
  map: '-f -s -l -U --format --output --image-opts --force-share --start-offset --max-length --object',
  measure: '-f -O -o -l -U --image-opts --output --size --force-share --object',
  rebase: '-f -F -b -u -p -t -T -q -U --image-opts --force-share --object',
  resize: '-f -q --image-opts --preallocation --shrink --object',
  snapshot: '-l -a -c -d -q -U --image-opts --force-share --object',
}

/** A command line in a table: a string of its own that begins with a command. */
const caseLine = new RegExp(
  `^\\s*(?:runTable\\('[^']*', )?\\[?\\s*(['"\`])((?:${Object.keys(options).join('|')})\\b.*?)\\1[,\\]]`,
  'gm',
)

function commandLines(): string[] {
  const folder = import.meta.dirname
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.ts') && name !== 'table.test.ts')
  return files.flatMap((name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    return [...text.matchAll(caseLine)].map(([, , line]) => line ?? '')
  })
}

/** Whether `line` has the option, alone, in a cluster of letters, with its argument attached, or abbreviated. */
function uses(line: string, option: string): boolean {
  return words(line).some((word) => {
    if (option.startsWith('--')) {
      const [name = ''] = word.split('=')
      return name.length > 3 && name.startsWith('--') && option.startsWith(name)
    }
    return /^-[^-]/.test(word) && word.includes(option.charAt(1))
  })
}

test('at least 600 command lines, and every option of every command', () => {
  const lines = new Set(commandLines())
  const of = (command: string): string[] => [...lines].filter((line) => line.split(' ')[0] === command)
  const counts = Object.keys(options).map((command) => `${command} ${of(command).length}`)
  console.log(`contract table: ${lines.size} command lines run by both tools (${counts.join(', ')})`)
  expect(lines.size).toBeGreaterThanOrEqual(600)
  const missing = Object.entries(options).flatMap(([command, names]) =>
    names
      .split(' ')
      .filter((name) => !of(command).some((line) => uses(line, name)))
      .map((name) => `${command} ${name}`),
  )
  expect(missing).toEqual([])
})
