// Reads vitest's JSON report: "passed<TAB>N", then "failed<TAB>name" and "skipped<TAB>name" for each such test.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const oneLine = (text) => text.replace(/\s+/g, ' ')
let passed = 0
for (const file of report.testResults) {
  const path = relative(process.cwd(), file.name)
  const tests = file.assertionResults
  // A file that breaks before its first test has no test to blame.
  if (file.status === 'failed' && !tests.some(({ status }) => status === 'failed')) {
    console.log(`failed\t${path}: ${oneLine(file.message ?? 'could not be run')}`)
  }
  for (const { status, fullName } of tests) {
    if (status === 'passed') passed++
    else console.log(`${status === 'failed' ? 'failed' : 'skipped'}\t${path}: ${oneLine(fullName)}`)
  }
}
console.log(`passed\t${passed}`)
