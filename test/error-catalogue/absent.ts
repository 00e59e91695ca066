/** Messages of the catalogue that have no place here yet, or none at all, and those that a table of comparisons proves. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../tidy/files.ts'

const page = readFileSync(join(root, 'docs/differences.md'), 'utf8')
const table = page.slice(page.indexOf('## Messages that are never given'))

/** Messages that no source has, each with the reason: as the page tells its readers. */
export const absent: Readonly<Record<string, string>> = Object.fromEntries(
  [...table.matchAll(/^\| `(.+?)` \| (.+) \|$/gm)].map(([, message, reason]) => [message!, reason!]),
)

/** Messages that a test produces on both sides and compares, without having them in its text: where, and by which line. */
export const compared: Readonly<Record<string, readonly [file: string, line: string]>> = {
  'Use of backing file requires explicit backing format': [
    'apps/qemu-img-cli/test/contract/convert.test.ts',
    "'convert -B base -O qcow2 q x'",
  ],
  "Could not determine absolute backing filename, but backing filename '%s' present": [
    'apps/qemu-img-cli/test/contract/info.test.ts',
    'info --backing-chain json:{"driver":"qcow2","file":{"driver":"quorum"',
  ],
}
