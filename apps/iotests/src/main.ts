/** The program: picks tests, runs them one after the other, reports. */

import { parseCommandLine, UsageError, usage } from './command-line.ts'
import { type DiscoveredTest, discoverTests, SelectionError, selectTests } from './runner/discover.ts'
import { groups, selectGroups } from './runner/groups.ts'
import { jsonReport, resultText, totals, totalsText } from './runner/report.ts'
import { type RunSettings, runOne, type TestResult } from './runner/run-one.ts'
import { chooseTools, ToolChoiceError } from './runner/tool-set.ts'

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError || error instanceof SelectionError || error instanceof ToolChoiceError)) throw error
  process.stderr.write(`iotests: ${error.message}\n`)
  process.exitCode = 2
}

async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args)
  if (line.help) {
    process.stdout.write(usage)
    return 0
  }
  const tests = selectGroups(selectTests(await discoverTests(), line.tests), line.groups)
  if (line.list) {
    process.stdout.write(listText(tests))
    return 0
  }
  const tools = chooseTools(line)
  const { format, timeout, keep, record } = line
  const results = await runAll(tests, { format, tools, timeout, keep, record }, line.json)
  process.stdout.write(line.json ? jsonReport(results, { tools: tools.name, format }) : totalsText(results))
  return totals(results).failed === 0 ? 0 : 1
}

async function runAll(tests: readonly DiscoveredTest[], settings: RunSettings, quiet: boolean): Promise<TestResult[]> {
  // An interrupt ends the tool that runs; the test then ends too and removes its folder on the way out. So does a reader
  // of the report who has gone away.
  const interrupt = new AbortController()
  const abort = (): void => interrupt.abort(new UsageError('interrupted'))
  process.once('SIGINT', abort)
  process.once('SIGTERM', abort)
  process.stdout.on('error', abort)
  const results: TestResult[] = []
  try {
    for (const test of tests) {
      const result = await runOne(test, { ...settings, signal: interrupt.signal })
      results.push(result)
      if (!quiet) process.stdout.write(resultText(result))
    }
  } finally {
    process.off('SIGINT', abort)
    process.off('SIGTERM', abort)
  }
  return results
}

function listText(tests: readonly DiscoveredTest[]): string {
  const rows = tests.map(({ name, test }) => `${name}  [${test.groups.join(' ')}]  ${test.title}\n`)
  const groupRows = Object.entries(groups).map(([name, purpose]) => `  ${name.padEnd(10)}${purpose}\n`)
  return `${rows.join('')}\ngroups:\n${groupRows.join('')}`
}
