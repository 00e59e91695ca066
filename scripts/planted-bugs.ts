/** `pnpm planted-bugs [--write]`: plants every bug, shows by which crash state the lab catches it, and keeps the document. */
import { parseArgs } from 'node:util'
import { plantedBugs } from './crash-lab/planted/bugs.ts'
import { type Catch, catchBug } from './crash-lab/planted/catch.ts'
import { catchTable, writeDocument } from './crash-lab/planted/report.ts'
import { withFolder } from './lib/workspace.ts'

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } })
const catches = await withFolder('planted-bugs', async (folder) => {
  const found: Catch[] = []
  for (const bug of plantedBugs) {
    const one = await catchBug(bug, folder)
    console.log(`${one.verdict === undefined ? 'MISSED' : `caught by ${one.verdict.id}`}: ${bug.title}`)
    found.push(one)
  }
  return found
})
if (values.write) writeDocument(catchTable(catches))
if (catches.some(({ verdict }) => verdict === undefined)) process.exitCode = 1
