/** Builds our tools and the runner into a folder of their own, so that tests never run a stale build and disturb nobody's. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder with `img/qemu-img.js`, `io/qemu-io.js` and `own/iotests.js`. */
    builtTools: string
  }
}

const app = join(import.meta.dirname, '../..')
const root = join(app, '../..')

/** Called by vitest once; what it returns is called at the end. */
export function setup(project: TestProject): () => void {
  // Below the app's node_modules: there the builds find what they do not contain.
  mkdirSync(join(app, 'node_modules'), { recursive: true })
  const folder = mkdtempSync(join(app, 'node_modules/.iotests-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    build(join(root, 'apps/qemu-img-cli'), join(folder, 'img'))
    build(join(root, 'apps/qemu-io-cli'), join(folder, 'io'))
    build(app, join(folder, 'own'))
  } catch (error) {
    remove()
    throw error
  }
  project.provide('builtTools', folder)
  return remove
}

function build(folder: string, target: string): void {
  const tsup = join(root, 'node_modules/tsup/dist/cli-default.js')
  execFileSync(process.execPath, [tsup, '--silent', '--out-dir', target], { cwd: folder, stdio: 'inherit' })
}
