// Proves that `pnpm qemu-img` is our tool and nothing around it: the caller's folder, every argument as it was typed, the
// exit code, and all three streams.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../scripts/lib/workspace.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blocklayer-script-'))
  mkdirSync(join(folder, 'sub'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** As pnpm runs a script: in the workspace's root, with the caller's folder in INIT_CWD. */
function qemuImg(callerFolder: string, ...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, INIT_CWD: callerFolder }
  const run = spawnSync(process.execPath, ['scripts/qemu-img.ts', ...args], { cwd: root, env, encoding: 'utf8' })
  return { code: run.status, stdout: run.stdout, stderr: run.stderr }
}

test("names are relative to the caller's folder", () => {
  expect(qemuImg(folder, 'create', '-q', '-f', 'qcow2', 'sub/disk.qcow2', '1M')).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  })
  expect(existsSync(join(folder, 'sub/disk.qcow2'))).toBe(true)
  expect(qemuImg(join(folder, 'sub'), 'info', 'disk.qcow2').stdout).toContain('virtual size: 1 MiB (1048576 bytes)')
})

test('arguments arrive as they were typed', () => {
  const name = `it's "a" $HOME * \\ name`
  expect(qemuImg(folder, 'create', '-q', '-f', 'raw', name, '512').code).toBe(0)
  expect(existsSync(join(folder, name))).toBe(true)
})

test('exit code and messages are those of the tool', () => {
  const { code, stdout, stderr } = qemuImg(folder, 'info', 'missing')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toBe("qemu-img: Could not open 'missing': Could not open 'missing': No such file or directory\n")
})
