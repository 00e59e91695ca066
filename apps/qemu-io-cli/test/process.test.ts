// Proves what only a process of its own can show: signals and crashes, what is printed before them, lines from a pipe while
// requests go on, a person's terminal, and texts that no reference has.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { maskTiming } from './support/mask.ts'
import { hasReference, needsReference, type Outcome, oursPath, runProcess, shell } from './support/tools.ts'
import { makeTwins, removeTwins, resetTwins, type Twins } from './support/twins.ts'

const ours: [string, ...string[]] = [process.execPath, oursPath]

describe.skipIf(!hasReference)(needsReference('processes'), () => {
  let twins: Twins
  beforeAll(() => {
    twins = makeTwins()
  })
  afterAll(() => removeTwins(twins))

  /** Runs both with the same arguments and input. */
  function both(args: readonly string[], input = ''): { readonly ours: Outcome; readonly reference: Outcome } {
    resetTwins(twins)
    const masked = ({ stdout, stderr, status }: Outcome): Outcome => ({
      stdout: maskTiming(stdout),
      stderr: maskTiming(stderr),
      status,
    })
    return {
      ours: masked(runProcess([...ours, ...args], twins.ours, input)),
      reference: masked(runProcess(['qemu-io', ...args], twins.reference, input)),
    }
  }

  const many = Array.from({ length: 400 }, () => 'length\n').join('')

  test.each([
    ['a crash loses what is buffered', ['-c', 'length', '-c', 'abort', 'q'], ''],
    ['a signal does not', ['-c', 'length', '-c', 'sigraise 15', '-c', 'length', 'q'], ''],
    ['killed', ['-c', 'length', '-c', 'sigraise 9', 'q'], ''],
    ['aborted by signal', ['-c', 'length', '-c', 'sigraise 6', 'q'], ''],
    [
      'signals that are ignored',
      ['-c', 'sigraise 10', '-c', 'sigraise 13', '-c', 'sigraise 17', '-c', 'length', 'q'],
      '',
    ],
    ['a crash before anything was read', ['-c', 'abort'], ''],
    ['a crash at the prompt', ['q'], 'length\nabort\nlength\n'],
    ['a crash after more than one buffer', ['-c', 'read -v 0 4k', '-c', 'abort', 'q'], ''],
    ['lines from a pipe', ['q'], 'length\nfoo\n\nread 64k 64k\nquit\nlength\n'],
    ['no newline at the end', ['q'], 'length\nlength'],
    ['many lines', ['q'], many],
    ['a line that is longer than the buffer', ['q'], `${'x'.repeat(1100)}\nlength\n`],
    ['a line as long as the buffer', ['q'], `${'x'.repeat(1023)}\nlength\n`],
    ['one that is shorter by one', ['q'], `${'x'.repeat(1022)}\nlength\n`],
    ['a zero byte', ['q'], 'length\0 1\nlength\n'],
    ['nothing to read', ['q'], ''],
    ['a mistake, then success', ['q'], 'foo\nlength\n'],
    ['open, close, help', [], 'length\nopen q\nlength\nclose\nhelp map\n'],
    [
      'requests and a breakpoint',
      ['blkdebug::q'],
      'break write_aio A\naio_write 0 64k\nwait_break A\nresume A\naio_flush\n',
    ],
    ['an image that is not there', ['-c', 'length', 'missing'], ''],
  ])('%s', (_name, args, input) => {
    const found = both(args, input)
    expect(found.ours).toEqual(found.reference)
  })

  // Results are buffered where they go to a pipe, complaints are not.
  test('both outputs joined', () => {
    const line = (program: string): string => `${program} -c 'length' -c 'foo' -c 'length' q 2>&1 || true`
    expect(shell(line(ours.join(' ')), twins.ours)).toBe(shell(line('qemu-io'), twins.reference))
  })

  // Old versions of Node do not find koffi behind a link after they have looked at a pipe: there would be no locks.
  test("locks are there on the system's own Node, when a pipe takes the output", () => {
    resetTwins(twins)
    // What the package manager adds to both paths would hide it.
    const path = `PATH=$(printf '%s' "$PATH" | tr ':' '\\n' | grep -v node_modules | paste -sd:)`
    expect(shell(`${path} env -u NODE_PATH node ${oursPath} -c length q 2>&1 | cat`, twins.ours)).toBe('1 MiB\n')
  })

  test('a program waits for ever where nothing will stop', () => {
    const args = ['-k', '1', '2', ...ours, '-c', 'wait_break A', 'q']
    expect(runProcess(['timeout', ...args], twins.ours).status).toBe(124)
  })

  test('at a terminal: a prompt, completion, history', async () => {
    const typed = await typeAtTerminal(`${ours.join(' ')} q`, twins.ours, [
      ['qemu-io> ', 'lengt\t'],
      // Tab has completed the word.
      ['length ', '\r'],
      // The prompt again, and the line before once more.
      ['1 MiB', '\x1b[A'],
      ['length', '\r'],
      ['1 MiB', 'help foo\r'],
      ['command foo not found', '\x04'],
    ])
    expect(typed).toEqual({ missing: undefined, status: 1 })
  })
})

test('the texts of our own', () => {
  const version = runProcess([...ours, '-V'], '.')
  expect(version.stdout).toMatch(/^qemu-io version 7\.2\.22 \(Blocklayer .*\)\nCopyright /)
  const help = runProcess([...ours, '--help'], '.')
  expect([help.status, help.stderr]).toEqual([0, ''])
  for (const word of ['Usage: qemu-io [OPTIONS]... [-c STRING]... [file]', '--copy-on-read', '-t, --cache MODE']) {
    expect(help.stdout).toContain(word)
  }
  const manual = runProcess([...ours, '--man'], '.')
  expect(manual.stdout).toMatch(/^\.TH "QEMU\\-IO" 1/)
  expect(manual.stdout).toContain('.B remove_break tag')
  expect(runProcess([...ours, '--completion', 'tcsh'], '.').stderr).toBe('qemu-io: Completion is for bash, zsh, fish\n')
})

test('tracing is accepted', () => {
  const run = runProcess([...ours, '-T', 'enable=bdrv_open_common', '-c', 'help foo'], '.')
  expect(run).toEqual({ stdout: 'command foo not found\n', stderr: '', status: 1 })
})

test.each(['bash'])('completion that %s can read', (name) => {
  const { stdout } = runProcess([...ours, '--completion', name], '.')
  const asked = runProcess([name, '-c', `${stdout}\n_qemu_io qemu-io qc -f; echo "$COMPREPLY"`], '.')
  expect(asked).toEqual({ stdout: 'qcow2\n', stderr: '', status: 0 })
})

/** Runs a line of shell at a terminal; keys are pressed when what stands before them has appeared. */
async function typeAtTerminal(
  line: string,
  cwd: string,
  steps: readonly (readonly [shown: string, keys: string])[],
): Promise<{ readonly missing: string | undefined; readonly status: number | null }> {
  const env = { ...process.env, TERM: 'xterm' }
  const child = spawn('script', ['-qec', line, '/dev/null'], { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] })
  const left = [...steps]
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    for (let next = left[0]; next !== undefined && shown.includes(next[0]); next = left[0]) {
      shown = shown.slice(shown.indexOf(next[0]) + next[0].length)
      child.stdin.write(next[1])
      left.shift()
    }
  })
  const [status] = (await once(child, 'close')) as [number | null]
  return { missing: left[0]?.[0], status }
}
