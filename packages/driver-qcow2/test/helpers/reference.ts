/** The reference tools, for tests that compare with them. */

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'

const imgTool = '/usr/bin/qemu-img'
const ioTool = '/usr/bin/qemu-io'

/** `describe` for tests that need the reference; without it they are skipped by name, except in CI, where they fail. */
export const describeWithReference: typeof describe | typeof describe.skip =
  existsSync(imgTool) || process.env.CI !== undefined ? describe : describe.skip

/** What a tool printed and how it ended. */
export interface ToolResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the reference's qemu-img, whatever it ends with. */
export function qemuImg(...args: readonly string[]): ToolResult {
  return run(imgTool, args)
}

/** Runs the reference's qemu-io commands on `image`; throws if the tool fails. */
export function qemuIo(image: string, ...commands: readonly string[]): string {
  return execFileSync(ioTool, [...commands.flatMap((command) => ['-c', command]), image], { encoding: 'utf8' })
}

function run(tool: string, args: readonly string[]): ToolResult {
  const result = spawnSync(tool, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (result.error !== undefined) throw result.error
  return { code: result.status ?? -1, out: result.stdout, err: result.stderr }
}

/** A folder of its own that is gone after `using`. */
export class TemporaryFolder {
  readonly path: string

  constructor() {
    const root = join(tmpdir(), 'blocklayer-qcow2')
    mkdirSync(root, { recursive: true })
    this.path = mkdtempSync(join(root, 'test-'))
  }

  /** Path of a file in the folder. */
  file(name: string): string {
    return join(this.path, name)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
