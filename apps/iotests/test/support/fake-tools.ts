/** An implementation made of shell scripts, to see how the runner takes whatever a tool does. */

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ToolSet } from '../../src/runner/tool-set.ts'

/** Two programs in `folder`, each with the given shell script as its body. */
export function scriptTools(folder: string, scripts: { readonly img?: string; readonly io?: string }): ToolSet {
  const write = (name: string, body: string): readonly [string] => {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\n${body}\n`)
    chmodSync(path, 0o755)
    return [path]
  }
  const commands = {
    'qemu-img': write('my-qemu-img', scripts.img ?? ''),
    'qemu-io': write('my-qemu-io', scripts.io ?? ''),
  }
  return { name: 'scripts', commands }
}
