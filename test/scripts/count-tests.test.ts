// Proves that the count at the end of `.ci/run` counts every test, and names those that failed or were skipped.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../scripts/lib/workspace.ts'

test('passed tests are counted, others named, and a file that breaks is a failure', () => {
  const folder = mkdtempSync(join(tmpdir(), 'blocklayer-count-'))
  const result = (status: string, fullName: string) => ({ status, fullName })
  const report = {
    testResults: [
      {
        name: join(root, 'a.test.ts'),
        status: 'failed',
        assertionResults: [result('passed', 'one'), result('failed', 'two\nlines'), result('skipped', 'three')],
      },
      { name: join(root, 'b.test.ts'), status: 'failed', message: 'no such module', assertionResults: [] },
      { name: join(root, 'c.test.ts'), status: 'passed', assertionResults: [result('passed', 'four')] },
    ],
  }
  try {
    writeFileSync(join(folder, 'report.json'), JSON.stringify(report))
    const script = join(root, '.ci/count-tests.mjs')
    const run = spawnSync(process.execPath, [script, join(folder, 'report.json')], { cwd: root, encoding: 'utf8' })
    expect(run.stdout.trimEnd().split('\n').sort()).toEqual([
      'failed\ta.test.ts: two lines',
      'failed\tb.test.ts: no such module',
      'passed\t2',
      'skipped\ta.test.ts: three',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
