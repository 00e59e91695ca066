/**
 * `node judge-process.ts`: judges the damaged images whose names come in, one a line, and prints a line for each: where
 * the tools disagree, how long ours took, and how much memory. Whoever started it may lose patience with an image.
 */

import { createInterface } from 'node:readline'
import { TemporaryFolder } from '../helpers/reference.ts'
import { allCases } from './cases.ts'
import { type Disagreement, disagreements, judge } from './judge.ts'
import type { Cost } from './verdict.ts'

/** What is printed about an image. */
export interface Judged {
  readonly name: string
  readonly found: readonly Disagreement[]
  readonly cost: Cost
}

using folder = new TemporaryFolder()
for await (const name of createInterface({ input: process.stdin })) {
  const each = allCases.find((one) => one.name === name)
  if (each === undefined) throw new Error(`there is no damaged image '${name}'`)
  const [verdicts] = await judge(folder, [each])
  const judged: Judged = { name, found: disagreements(each, verdicts!), cost: verdicts!.cost }
  console.log(JSON.stringify(judged))
}
