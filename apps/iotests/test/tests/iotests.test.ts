// Every test passes on the reference, whose output is the golden one, and on our own tools; and fails on tools that do less.
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { discoverTests } from '../../src/runner/discover.ts'
import { runOne, type TestResult } from '../../src/runner/run-one.ts'
import { chooseTools, type ToolSet } from '../../src/runner/tool-set.ts'
import { scriptTools } from '../support/fake-tools.ts'
import { temporaryFolder } from '../support/folder.ts'
import { hasReference, needsReference } from '../support/reference.ts'

const tests = await discoverTests()
const built = inject('builtTools')
const node = (script: string): readonly [string, ...string[]] => [process.execPath, join(built, script)]
const ours: ToolSet = {
  name: 'ours',
  commands: { 'qemu-img': node('img/qemu-img.js'), 'qemu-io': node('io/qemu-io.js') },
}

/** One test may run hundreds of processes, on a busy machine too. */
const minutes = 60_000

function run(name: string, tools: ToolSet): Promise<TestResult> {
  const found = tests.find((candidate) => candidate.name === name)
  expect(found).toBeDefined()
  return runOne(found!, { format: 'qcow2', tools, timeout: minutes })
}

async function passes(name: string, tools: ToolSet): Promise<void> {
  const result = await run(name, tools)
  expect(`${result.reason ?? ''}\n${result.diff ?? ''}`).toBe('\n')
  expect(result.outcome).toBe('passed')
}

const folder = temporaryFolder()
const names = tests.map(({ name }) => name)

describe.skipIf(!hasReference)(needsReference('the reference passes'), () => {
  test.each(names)('%s', { timeout: 5 * minutes }, (name) => passes(name, chooseTools({ tools: 'reference' })))

  test.each(names)('%s notices a commit that does not empty', { timeout: 5 * minutes }, async (name) => {
    const img = 'command=$1; shift; [ "$command" = commit ] && set -- -d "$@"; exec qemu-img "$command" "$@"'
    const result = await run(name, scriptTools(folder, { img, io: 'exec qemu-io "$@"' }))
    expect(result.outcome).toBe('failed')
    expect(result.diff).toMatch(/^\+0(x83400000)? .* TEST_DIR\/t\.IMGFMT$/m)
  })
})

describe('our tools pass', () => {
  test.each(names)('%s', { timeout: 5 * minutes }, (name) => passes(name, ours))
})
