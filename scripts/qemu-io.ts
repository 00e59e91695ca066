/** `pnpm qemu-io ARGS…`: our qemu-io on the user's own images, relative to the folder the user stands in. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuilt, root } from './lib/workspace.ts'

const cli = ensureBuilt('qemu-io-cli', join(root, 'apps/qemu-io-cli/dist/qemu-io.js'))

// pnpm runs a script in the workspace's root and tells in INIT_CWD where it was called, with -C too.
const folder = process.env.INIT_CWD ?? process.cwd()
process.chdir(folder)
process.env.PWD = folder

// In this very process: exit code, signals and the three standard streams then need no passing on.
process.argv.splice(1, 1, cli)
await import(pathToFileURL(cli).href)
