// The transcript shows command, results, marked complaints and status, filtered, and nothing that depends on the place.
import { expect, test } from 'vitest'
import { TestContext } from '../../src/runner/test-context.ts'
import { scriptTools } from '../support/fake-tools.ts'
import { temporaryFolder } from '../support/folder.ts'

const folder = temporaryFolder()

function contextOf(scripts: { readonly img?: string; readonly io?: string }, timeout = 20_000): TestContext {
  return new TestContext({ folder, format: 'qcow2', tools: scriptTools(folder, scripts), timeout })
}

test('a run is a command line, results, then complaints, then a status that is not 0', async () => {
  const context = contextOf({ img: `echo "my-qemu-img: no 'qcow2' in $PWD" >&2; echo result; exit 1` })
  await context.qemuImg('compare', '-f', 'qcow2', context.image('base'), "it's a b")
  expect(context.transcript).toBe(`$ qemu-img compare -f IMGFMT TEST_DIR/t.IMGFMT.base 'it'\\''s a b'
result
2> qemu-img: no 'IMGFMT' in TEST_DIR
exit status 1
`)
})

test('output without a line end is shown as such', async () => {
  const context = contextOf({ io: 'printf "half a line"' })
  await context.qemuIo('-c', 'close')
  expect(context.transcript).toBe('$ qemu-io -c close\nhalf a line\\ no newline\n')
})

test('sections, files and own lines', () => {
  const context = contextOf({})
  context.section('One')
  expect(context.file('rules.conf', 'a\nb\n')).toBe(`${folder}/rules.conf`)
  context.copy(`${folder}/rules.conf`, context.image())
  expect(context.fileLength(context.image())).toBe(4)
  context.section('Two')
  expect(context.transcript).toBe(
    '=== One ===\n\n$ cat TEST_DIR/rules.conf\na\nb\n$ cp TEST_DIR/rules.conf TEST_DIR/t.IMGFMT\n\n=== Two ===\n\n',
  )
})

test('a silent run leaves no trace', async () => {
  const context = contextOf({ img: 'echo $1; exit 4' })
  expect(await context.runSilently('qemu-img', 'info')).toEqual({ stdout: 'info\n', stderr: '', status: 4 })
  expect(context.transcript).toBe('')
})

test.each([
  ['a healthy image', 0, ''],
  ['a format without a check', 63, ''],
  ['a damaged image', 2, '$ qemu-img check -f IMGFMT a\nfound\nexit status 2\n'],
])('%s', async (_, status, transcript) => {
  const context = contextOf({ img: `echo found; exit ${status}` })
  await context.expectHealthy('a')
  expect(context.transcript).toBe(transcript)
})

test('a tool that outlives its time ends the test', async () => {
  const context = contextOf({ io: 'sleep 60' }, 100)
  await expect(context.qemuIo('-c', 'read 0 1')).rejects.toThrow("qemu-io -c 'read 0 1': did not end within 0.1 s")
})
