// A test passes only if its transcript is the golden output; however it ends, its folder is gone unless it is to be kept.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { DiscoveredTest } from '../../src/runner/discover.ts'
import type { IoTest } from '../../src/runner/io-test.ts'
import { type RunSettings, runOne } from '../../src/runner/run-one.ts'
import type { TestContext } from '../../src/runner/test-context.ts'
import { TestFailure } from '../../src/runner/test-failure.ts'
import { scriptTools } from '../support/fake-tools.ts'
import { temporaryFolder } from '../support/folder.ts'

const folder = temporaryFolder()
const expectedPath = join(folder, 'expected.out')
const settings: RunSettings = { format: 'qcow2', tools: scriptTools(folder, { img: 'echo hello' }), timeout: 20_000 }

/** Where the last script ran. */
let scratch = ''

function testOf(run: (context: TestContext) => Promise<void>, number = '000'): DiscoveredTest {
  const script: IoTest = {
    title: 'a test',
    groups: [],
    async run(context) {
      scratch = context.folder
      await run(context)
    },
  }
  return { name: `${number}-name`, number, expectedPath, test: script }
}

const hello = testOf(async (context) => void (await context.qemuImg('info')))

test('golden output decides', async () => {
  writeFileSync(expectedPath, '$ qemu-img info\nhello\n')
  expect(await runOne(hello, settings)).toMatchObject({ name: '000-name', outcome: 'passed' })
  writeFileSync(expectedPath, '$ qemu-img info\ngoodbye\n')
  const result = await runOne(hello, settings)
  expect(result).toMatchObject({ outcome: 'failed', reason: 'output differs' })
  expect(result.diff).toBe(`--- 000-name/expected.out
+++ 000-name (found)
@@ -1,2 +1,2 @@
 $ qemu-img info
-goodbye
+hello
`)
  expect(existsSync(scratch)).toBe(false)
})

test('without golden output a test fails until it is recorded', async () => {
  rmSync(expectedPath)
  expect(await runOne(hello, settings)).toMatchObject({ outcome: 'failed', reason: 'no golden output: record it' })
  expect(await runOne(hello, { ...settings, record: true })).toMatchObject({ outcome: 'recorded' })
  expect(readFileSync(expectedPath, 'utf8')).toBe('$ qemu-img info\nhello\n')
  expect(await runOne(hello, settings)).toMatchObject({ outcome: 'passed' })
})

test('a test that gives up fails with its reason, and is never recorded', async () => {
  writeFileSync(expectedPath, 'before\n')
  const broken = testOf(async (context) => {
    context.print('before')
    throw new TestFailure('the tool is stuck')
  })
  expect(await runOne(broken, { ...settings, record: true })).toMatchObject({
    outcome: 'failed',
    reason: 'the tool is stuck',
  })
  expect(readFileSync(expectedPath, 'utf8')).toBe('before\n')
})

test('a defect of the test is thrown, and the folder is gone all the same', async () => {
  const broken = testOf(() => Promise.reject(new RangeError('a defect')))
  await expect(runOne(broken, settings)).rejects.toThrow('a defect')
  expect(existsSync(scratch)).toBe(false)
})

test('a folder that is to be kept is kept and told', async () => {
  const result = await runOne(hello, { ...settings, keep: true })
  expect(result.scratch).toBe(scratch)
  expect(existsSync(scratch)).toBe(true)
  rmSync(scratch, { recursive: true })
})

test('a skipped test does not run', async () => {
  scratch = 'nowhere'
  const result = await runOne(
    testOf(async () => {}, '098'),
    { ...settings, format: 'raw' },
  )
  expect(result.outcome).toBe('skipped')
  expect(scratch).toBe('nowhere')
})
