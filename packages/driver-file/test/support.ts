/** What the tests of this package share: temporary folders, an `OpenContext` without a graph, and the reference tools. */

import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { closeSync, constants, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BlockLayer, CreateContext, OpenContext, OpenFlags } from '@blocklayer/block-core/driver'
import { afterAll, expect } from 'vitest'
import type { HostFile } from '../src/host-file.ts'
import {
  createFileDriver,
  createHostCdromDriver,
  createHostDeviceDriver,
  type FileCreateOptions,
  type FileDriverSettings,
  type FileOptions,
} from '../src/index.ts'
import { type Libc, loadLibc } from '../src/libc.ts'
import { openStorage, type StorageKind } from '../src/storage.ts'

/** A folder that goes away with the tests of the calling file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'blocklayer-file-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What a test may say about an open. */
export interface OpenSetting {
  readonly readOnly?: boolean
  readonly flags?: Partial<OpenFlags>
  readonly driver?: FileDriverSettings
  readonly warnings?: string[]
  readonly kind?: StorageKind
}

/** Flags of a node that nobody asked anything special of. */
export const testFlags: OpenFlags = {
  check: false,
  noIo: false,
  unmap: false,
  direct: false,
  noFlush: false,
  forceShare: false,
  probed: false,
  allowReadWrite: true,
  autoReadOnly: false,
}

/** Opens a file without a node; the caller closes it. */
export function openHost(
  filename: string,
  mode: { readonly readOnly: boolean; readonly synchronous: boolean; readonly direct?: boolean },
): Promise<HostFile> {
  return openStorage(filename, { kind: 'file', direct: false, ...mode }, loadLibc().libc)
}

/** Opens `options` without a graph; the caller closes the layer. */
export function openLayer(options: FileOptions, setting: OpenSetting = {}): Promise<BlockLayer> {
  const create = { file: createFileDriver, host_device: createHostDeviceDriver, host_cdrom: createHostCdromDriver }
  // Only what files look at; the rest of a context is for drivers with children.
  const context: Partial<OpenContext> = {
    readOnly: setting.readOnly ?? false,
    filename: options.filename,
    nodeName: 'node0',
    flags: { ...testFlags, ...setting.flags },
    signal: undefined,
    warn: (message) => setting.warnings?.push(message),
    reportError: () => {},
    report: () => {},
    eject: () => {},
  }
  return create[setting.kind ?? 'file'](setting.driver).open(context as OpenContext, options)
}

/** Creates a file as the graph would. */
export async function createImage(
  filename: string,
  size: number | bigint,
  options: FileCreateOptions = {},
  settings: FileDriverSettings & { readonly warnings?: string[] } = {},
): Promise<void> {
  const context: CreateContext = {
    filename,
    size: BigInt(size),
    backing: undefined,
    file: () => Promise.reject(new Error('a file has no file')),
    makeFile: () => Promise.reject(new Error('a file has no file')),
    otherFile: () => Promise.reject(new Error('a file has no file')),
    signal: undefined,
    warn: (message) => settings.warnings?.push(message),
  }
  await createFileDriver(settings).create?.run(context, options)
}

/** Expects `work` to fail and gives the error's code, message and hint. */
export async function failure(work: Promise<unknown>): Promise<{ code: unknown; message: string; hint: unknown }> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(Error)
  const { code, message, hint } = error as Error & { code?: unknown; hint?: unknown }
  return { code, message, hint }
}

/** Whether the reference tools are here. In CI a missing one is an error, elsewhere its tests are skipped by name. */
export const withoutReference: boolean = !process.env.CI && spawnSync('qemu-img', ['--version']).error !== undefined

/** Runs a reference tool to its end. */
export function reference(tool: 'qemu-img' | 'qemu-io', args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(tool, args, { encoding: 'utf8' })
}

/**
 * Keeps an image open in `qemu-io` until the returned function is called.
 *
 * @param commands - run when it is called; it gives what they printed
 */
export async function holdInReference(
  args: readonly string[],
  commands: readonly string[] = [],
): Promise<() => Promise<string>> {
  const child = spawn('qemu-io', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  // The prompt comes once the image is open and its locks are held.
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
  child.stdout.on('data', (text) => {
    output += text
  })
  return async () => {
    child.stdin.end(`${[...commands, 'quit'].join('\n')}\n`)
    await ended
    return output
  }
}

/** A loop device over a new file, or the reason why this system has none. */
export type Loop =
  | { readonly device: string; readonly backing: string; readonly detach: () => void }
  | { readonly reason: string }

/**
 * Attaches a loop device to a new file of `bytes` bytes; only the superuser may, and not inside every container.
 *
 * @param sectorBytes - of the device's logical sectors
 */
export function attachLoop(folder: string, bytes: number, sectorBytes = 512): Loop {
  const backing = join(folder, `loop-${randomUUID()}`)
  writeFileSync(backing, '')
  truncateSync(backing, bytes)
  const { error, status, stdout, stderr } = spawnSync('losetup', ['-f', '--show', '-b', String(sectorBytes), backing], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  })
  if (error !== undefined || status !== 0) return { reason: error?.message ?? stderr.trim() }
  const device = stdout.trim()
  const detach = (): void => void spawnSync('/usr/sbin/losetup', ['-d', device])
  return { device, backing, detach }
}

/** The C library with some calls replaced: what a test says about a system that it does not run on. */
export function libcWith(calls: Partial<Libc>): Libc {
  return { ...(loadLibc().libc as Libc), ...calls }
}

/** Whether the folder for temporary files is on a file system without O_DIRECT: its tests are skipped by name. */
export const noDirectIo: boolean = ((): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'blocklayer-direct-'))
  try {
    closeSync(openSync(join(folder, 'x'), constants.O_CREAT | constants.O_RDWR | constants.O_DIRECT))
    return false
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EINVAL') throw error
    return true
  } finally {
    rmSync(folder, { recursive: true })
  }
})()
