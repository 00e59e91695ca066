// Proves that a driver which this program has never heard of is used like its own: the example's VDI driver, loaded by
// --driver or from the environment, reads images made by the reference, probed or by name, byte for byte.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'tsup'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasReference, needsReference, ours, reference, shell } from '../support/tools.ts'

const example = join(import.meta.dirname, '../../../../examples/driver-vdi-readonly')

/** Builds the example with its own copy of everything it uses, as it would come from a registry. */
async function buildDriver(folder: string): Promise<string> {
  await build({
    config: false,
    silent: true,
    entry: { driver: join(example, 'src/index.ts') },
    outDir: folder,
    outExtension: () => ({ js: '.mjs' }),
    format: 'esm',
    target: 'node20',
    noExternal: [/^@blocklayer\//],
    esbuildOptions(options) {
      options.conditions = ['@blocklayer/source']
    },
  })
  return join(folder, 'driver.mjs')
}

describe.skipIf(!hasReference)(needsReference('a VDI driver by a third party'), () => {
  let cwd: string
  let driver: string
  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'blocklayer-vdi-'))
    driver = await buildDriver(cwd)
    shell(
      `qemu-img create -q -f raw disk.raw 10M
       qemu-io -f raw -c 'write -P 1 0 1M' -c 'write -P 2 3M 2500k' -c 'write -P 3 10485248 512' disk.raw
       qemu-img convert -O vdi disk.raw dynamic.vdi
       qemu-img convert -O vdi -o static=on disk.raw static.vdi
       qemu-img create -q -f vdi empty.vdi 5M`,
      { cwd },
    )
  })
  afterAll(() => rmSync(cwd, { recursive: true }))

  test.each(['dynamic.vdi', 'static.vdi'])('%s is converted to the bytes it was made from', (image) => {
    expect(ours(['convert', '--driver', driver, image, 'out.raw'], { cwd })).toEqual({
      stdout: '',
      stderr: '',
      status: 0,
    })
    expect(readFileSync(join(cwd, 'out.raw')).equals(readFileSync(join(cwd, 'disk.raw')))).toBe(true)
    expect(ours(['compare', `--driver=${driver}`, '-f', 'vdi', image, 'disk.raw'], { cwd }).status).toBe(0)
  })

  test.each(['dynamic.vdi', 'static.vdi', 'empty.vdi'])('%s is described and mapped as by the reference', (image) => {
    const mask = (text: string): string => text.replace(/^disk size: .*$/gm, '')
    const env = { BLOCKLAYER_DRIVERS: driver }
    for (const args of [
      ['info', image],
      ['map', image],
      ['map', '--output=json', image],
    ]) {
      expect(mask(ours(args, { cwd, env }).stdout)).toBe(mask(reference(args, { cwd }).stdout))
    }
  })

  test('an overlay finds its backing file through the driver', () => {
    shell('qemu-img create -q -f qcow2 -b dynamic.vdi -F vdi top.qcow2; qemu-img convert top.qcow2 expected.raw', {
      cwd,
    })
    expect(ours(['--driver', driver, 'convert', 'top.qcow2', 'out.raw'], { cwd }).stderr).toBe('')
    expect(readFileSync(join(cwd, 'out.raw')).equals(readFileSync(join(cwd, 'expected.raw')))).toBe(true)
  })

  test('what it cannot do is refused, in its own words', () => {
    shell('head -c 512 dynamic.vdi > cut.vdi', { cwd })
    const stderr = (...args: string[]): string => ours(['--driver', driver, ...args], { cwd }).stderr
    expect(stderr('info', 'cut.vdi')).toBe("qemu-img: Could not open 'cut.vdi': VDI block map is cut off\n")
    expect(stderr('info', '-f', 'vdi', 'disk.raw')).toBe(
      "qemu-img: Could not open 'disk.raw': Image is not in vdi format\n",
    )
    expect(stderr('create', '-f', 'vdi', 'new.vdi', '1M')).toBe(
      "qemu-img: new.vdi: Format driver 'vdi' does not support image creation\n",
    )
    expect(stderr('convert', '-n', '-O', 'vdi', 'disk.raw', 'dynamic.vdi')).toBe(
      "qemu-img: Could not open 'dynamic.vdi': This vdi driver can only read; open the image read-only\n",
    )
    expect(ours(['--driver', driver, 'check', 'dynamic.vdi'], { cwd }).status).toBe(63)
  })

  test('without the driver the image is raw bytes, and its name unknown', () => {
    expect(ours(['info', 'dynamic.vdi'], { cwd }).stdout).toContain('file format: raw\n')
    expect(ours(['info', '-f', 'vdi', 'dynamic.vdi'], { cwd }).stderr).toBe(
      "qemu-img: Could not open 'dynamic.vdi': Unknown driver 'vdi'\n",
    )
  })
})
