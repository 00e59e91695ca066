/**
 * `pnpm docs:api [FOLDER]`: the API reference of all packages, as pages in Markdown, from their docstrings. Fails where a
 * public name has none, or where a link leads nowhere.
 */
import { resolve } from 'node:path'
import { doors } from './docs-api/doors.ts'
import { writeReference } from './docs-api/reference.ts'
import { root } from './lib/workspace.ts'

const folder = resolve(process.env.INIT_CWD ?? process.cwd(), process.argv[2] ?? resolve(root, 'docs/site'))
const problems = await writeReference(doors(), folder)
for (const problem of problems) console.error(problem)
if (problems.length > 0) {
  console.error(`docs:api: ${problems.length} problems`)
  process.exitCode = 1
} else console.log(`Wrote ${folder}`)
