/**
 * `pnpm create-driver NAME`: a folder `driver-NAME` below the caller's, with a driver that shows its file as it is and passes
 * the contract suite. docs/writing-a-driver.md goes on from there.
 */
import { createDriver } from './create-driver/create.ts'

try {
  // pnpm runs a script in the workspace's root and tells in INIT_CWD where it was called.
  const folder = createDriver(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd())
  console.log(`Made ${folder}. What comes next: docs/writing-a-driver.md, step 2.`)
} catch (error) {
  console.error(`create-driver: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
