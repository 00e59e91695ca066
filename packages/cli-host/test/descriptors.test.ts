// What is written to a descriptor arrives whole, with a slow reader as with none, and terminals are told from other things.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isTerminal, writeAll } from '../src/descriptors.ts'

const source = new URL('../src/descriptors.ts', import.meta.url).href

/** A program that imports what is tested. */
const program = (code: string): string[] => [
  '--input-type=module',
  '-e',
  `import { isTerminal, writeAll } from ${JSON.stringify(source)}; ${code}`,
]

test('bytes reach a file whole', () => {
  const folder = mkdtempSync(join(tmpdir(), 'blocklayer-descriptors-'))
  const fd = openSync(join(folder, 'out'), 'w')
  writeAll(fd, Uint8Array.of(1, 2, 3))
  closeSync(fd)
  expect([...readFileSync(join(folder, 'out'))]).toEqual([1, 2, 3])
  rmSync(folder, { recursive: true })
})

test('a slow reader gets everything', async () => {
  // Node makes the pipes of its children non-blocking: much more than a pipe holds has to wait for the reader.
  const child = spawn(process.execPath, program('writeAll(1, new Uint8Array(1 << 20).fill(65))'), {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let bytes = 0
  for await (const chunk of child.stdout) bytes += (chunk as Uint8Array).length
  expect(bytes).toBe(1 << 20)
})

test('a reader that has gone is no failure, other things are', () => {
  const gone = spawnSync('bash', [
    '-c',
    'set -o pipefail; "$@" | true',
    'bash',
    process.execPath,
    ...program('writeAll(1, new Uint8Array(1 << 20))'),
  ])
  expect([gone.status, gone.stderr.toString()]).toEqual([0, ''])
  const fd = openSync('/', 'r')
  // A folder that was opened for reading takes no bytes (EBADF): nobody is there to hear of it.
  expect(() => writeAll(fd, Uint8Array.of(1))).not.toThrow()
  closeSync(fd)
  expect(() => writeAll(-1, Uint8Array.of(1))).toThrow('out of range')
})

test('devices that are none, and closed descriptors, are no terminals; one is', () => {
  const fd = openSync('/dev/null', 'r')
  expect(isTerminal(fd)).toBe(false)
  closeSync(fd)
  expect(isTerminal(fd)).toBe(false)
  const asked = [process.execPath, ...program('writeAll(1, new TextEncoder().encode(String(isTerminal(0))))')]
  const quoted = asked.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
  // `script` runs its command on a terminal of its own.
  expect(spawnSync('script', ['-qec', quoted, '/dev/null']).stdout.toString().trim()).toBe('true')
})
