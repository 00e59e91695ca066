// Proves that every subcommand's --output json follows its published schema, that nothing but one JSON document is on
// standard output then, and that the lines on standard error follow theirs. The validator is shown breaches, too.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reasonCodes } from '@blocklayer/qemu-img'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorCodes } from '../src/error-codes.ts'
import { schemaNames, schemaText } from '../src/schemas.ts'
import { commandTables } from '../src/tables/index.ts'
import { violations } from './support/json-schema.ts'
import { ours, oursHere } from './support/tools.ts'

type Schema = Readonly<Record<string, unknown>>

let cwd: string
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'blocklayer-schemas-'))
  writeFileSync(join(cwd, 'data'), new Uint8Array(2 ** 20).fill(1))
  for (const line of [
    'create -q -f qcow2 -b data -F raw overlay',
    'create -q -f qcow2 -b data -F raw other',
    'create -q -f qcow2 image 4M',
    'bitmap --add image b0',
    'snapshot -c first image',
    'convert -f raw -O qcow2 data whole',
  ]) {
    expect((await oursHere(line.split(' '), { cwd })).status).toBe(0)
  }
  // Its first data cluster: without the entry that points to it, and without its reference count.
  damaged('leaky', 4 * 65536, 8)
  damaged('broken', 2 * 65536 + 5 * 2, 2)
  writeFileSync(join(cwd, 'foreign'), `vhdxfile${'\0'.repeat(4096)}`)
})
afterAll(() => rmSync(cwd, { recursive: true }))

/** A copy of an image with zeroes at `offset`. */
function damaged(name: string, offset: number, bytes: number): void {
  const image = readFileSync(join(cwd, 'whole'))
  writeFileSync(join(cwd, name), image.fill(0, offset, offset + bytes))
}

const schemaOf = (name: string): Schema => JSON.parse(schemaText(name) ?? 'null') as Schema

test.each([
  ['create -f qcow2 -o compat=0.10,cluster_size=4k new 1M', 0, { format: 'qcow2', 'virtual-size': 2 ** 20 }],
  [
    'create -u -f qcow2 -b data -F raw with,comma 3M',
    0,
    { options: expect.objectContaining({ backing_file: 'data' }) },
  ],
  ['amend -p -o lazy_refcounts=on image', 0, { options: { lazy_refcounts: 'on' } }],
  ['bench -c 2 -d 1 image', 0, { count: 2, bytes: 4096 }],
  ['bitmap --merge b0 --disable image b0', 0, { actions: [{ type: 'merge', source: 'b0' }, { type: 'disable' }] }],
  ['check image', 0, { 'check-errors': 0 }],
  ['check -f raw data', 63, undefined],
  ['check -r all leaky', 0, { 'leaks-fixed': 1 }],
  ['check broken', 2, { corruptions: 2 }],
  ['compare data overlay', 0, { identical: true, difference: null }],
  ['compare image data', 1, { identical: false, difference: { kind: 'content', offset: 0 } }],
  ['compare -s image data', 1, { strict: true, difference: { kind: 'size' }, 'virtual-sizes': [2 ** 22, 2 ** 20] }],
  ['convert -p -c -O qcow2 data image copy', 0, { sources: ['data', 'image'], compressed: true, created: true }],
  ['convert -n --target-image-opts data driver=qcow2,file.filename=image', 0, { format: null, created: false }],
  ['dd -O qcow2 bs=512 count=3 skip=1 if=data of=block', 0, { bytes: 1024 }],
  ['info overlay', 0, { 'backing-filename': 'data' }],
  ['info --backing-chain overlay', 0, undefined],
  ['info image', 0, { snapshots: [expect.objectContaining({ name: 'first' })] }],
  ['info --limits image', 0, { limits: expect.objectContaining({ 'discard-alignment': 65536 }) }],
  ['info --backing-chain --limits overlay', 0, undefined],
  ['info --untrusted image', 0, { verdict: 'acceptable', format: 'qcow2', 'virtual-size': 2 ** 22, reasons: [] }],
  [
    'info --untrusted overlay',
    65,
    { verdict: 'refused', reasons: [expect.objectContaining({ code: 'backing-file' })] },
  ],
  ['info --untrusted foreign', 65, { verdict: 'refused', reasons: [{ code: 'unsupported-format' }] }],
  ['map overlay', 0, undefined],
  ['measure -O qcow2 image', 0, { bitmaps: expect.any(Number) }],
  ['measure --size 1G', 0, { required: 2 ** 30 }],
  ['rebase -u -b other -F qcow2 overlay', 0, { 'backing-filename': 'other', unsafe: true }],
  ['rebase -b data -F raw -p overlay', 0, { 'backing-filename-format': 'raw', unsafe: false }],
  ['commit overlay', 0, { base: 'data', emptied: true }],
  ['commit -d other', 0, { emptied: false }],
  ['rebase -b  other', 0, { 'backing-filename': null }],
  ['resize overlay +1M', 0, { 'old-virtual-size': 2 ** 20, 'virtual-size': 2 ** 21 }],
  ['snapshot -l image', 0, { action: 'list', snapshots: [expect.objectContaining({ id: '1' })] }],
  ['snapshot -c second new', 0, { action: 'create', name: 'second' }],
  ['snapshot -a second new', 0, { action: 'apply' }],
  ['snapshot -d second new', 0, { action: 'delete' }],
  ['snapshot image', 0, { action: 'none' }],
])('%s', async (line, exitCode, members) => {
  const [command = '', ...rest] = line.split(' ')
  const { stdout, stderr, status } = await oursHere([command, '--output', 'json', '--errors=json', ...rest], { cwd })
  expect([status, stderr.includes('"event":"error"')]).toEqual([exitCode, exitCode === 63])
  if (exitCode === 63) return
  const value: unknown = JSON.parse(stdout)
  expect(violations(schemaOf(command), value)).toEqual([])
  if (members !== undefined) expect(value).toMatchObject(members)
})

test('as QEMU 10, info and map follow their schemas, too', () => {
  for (const command of ['info', 'map']) {
    const { stdout } = ours([command, '--output', 'json', 'image'], { cwd, env: { BLOCKLAYER_COMPAT: '10' } })
    expect(stdout).toContain(command === 'info' ? '"children"' : '"compressed"')
    expect(violations(schemaOf(command), JSON.parse(stdout))).toEqual([])
  }
  const { stdout } = ours(['info', '--limits', '--output', 'json', 'image'], { cwd, env: { BLOCKLAYER_COMPAT: '10' } })
  expect(violations(schemaOf('info'), JSON.parse(stdout))).toEqual([])
})

test.each([
  ['create -q --output json quiet 1M'],
  ['commit -q --output json overlay'],
  ['convert -q --output json data quiet'],
  ['rebase -q -u -b data -F raw --output json overlay'],
  ['compare -q --output json data data'],
  ['resize -q --output json -f raw quiet +0'],
])('%s prints nothing', async (line) => {
  expect(await oursHere(line.split(' '), { cwd })).toEqual({ stdout: '', stderr: '', status: 0 })
})

test('events', async () => {
  const schema = schemaOf('events')
  const runs = [
    '--errors json nonsense',
    '--errors json convert --progress json -O qcow2 data copy',
    '--errors json resize data +512',
  ]
  for (const line of runs) {
    const { stderr } = await oursHere(line.split(' '), { cwd })
    for (const event of stderr.trimEnd().split('\n')) expect(violations(schema, JSON.parse(event))).toEqual([])
  }
  const [{ properties }] = schema.oneOf as [{ properties: { code: { enum: string[] } } }]
  expect(properties.code.enum).toEqual(Object.keys(errorCodes))
})

describe('the schemas', () => {
  test('name every reason for which an image may be refused', () => {
    const { verdict } = schemaOf('info').$defs as { verdict: { properties: { reasons: { items: Schema } } } }
    expect(verdict.properties.reasons.items).toMatchObject({ properties: { code: { enum: reasonCodes } } })
  })

  test('are there for every command, with a version in their name', () => {
    const commands = commandTables.map(({ name }) => name)
    expect([...commands, 'events'].sort()).toEqual([...schemaNames])
    for (const name of schemaNames) {
      expect(schemaOf(name)).toMatchObject({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        $id: `urn:blocklayer:qemu-img:${name}:1`,
      })
    }
  })

  test('are printed by --schema, from the bundle as well', async () => {
    expect(ours(['--schema', 'create'], { cwd }).stdout).toBe(schemaText('create'))
    const { stderr, status } = await oursHere(['--schema', '../package'], { cwd })
    expect([stderr.startsWith("qemu-img: There is no schema '../package'; there are amend, "), status]).toEqual([
      true,
      1,
    ])
  })

  test('refuse what is missing, too much, or of another kind', () => {
    const good = { schema: 'urn:blocklayer:qemu-img:resize:1', filename: 'x', 'old-virtual-size': 1, 'virtual-size': 2 }
    const resize = schemaOf('resize')
    expect(violations(resize, good)).toEqual([])
    expect(violations(resize, { ...good, more: 1 })).toEqual([": unexpected 'more'"])
    expect(violations(resize, { ...good, 'virtual-size': -1 })).toEqual(['/virtual-size: below 0'])
    expect(violations(resize, { ...good, filename: 1 })).toEqual(['/filename: not string'])
    expect(violations(resize, { ...good, schema: 'urn:blocklayer:qemu-img:resize:2' })).toHaveLength(1)
    expect(violations(resize, [])).toEqual([': not object'])
    const { filename: _, ...less } = good
    expect(violations(resize, less)).toEqual([": no 'filename'"])
    expect(violations(schemaOf('map'), [])).toEqual([': too few items'])
    expect(
      violations(schemaOf('snapshot'), { schema: 'urn:blocklayer:qemu-img:snapshot:1', filename: 'x', action: 'list' }),
    ).toHaveLength(1)
    expect(violations(schemaOf('info'), { filename: 'x' })).toHaveLength(1)
    expect(() => violations({ pattern: 'x' }, 'x')).toThrow("schema keyword 'pattern'")
  })
})
