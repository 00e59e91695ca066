/** `pnpm iotests [options] NNN…`: the numbered tests, against our tools or, with `--tools reference`, the reference's. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuilt, ensureCli, root } from './lib/workspace.ts'

ensureCli()
ensureBuilt('qemu-io-cli', join(root, 'apps/qemu-io-cli/dist/qemu-io.js'))
const runner = ensureBuilt('iotests', join(root, 'apps/iotests/dist/iotests.js'))
process.argv.splice(1, 1, runner)
await import(pathToFileURL(runner).href)
