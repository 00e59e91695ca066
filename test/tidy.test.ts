// Proves what no linter knows: that tests stand where they are looked for, that rooms stay small, that every blkdebug
// event is announced by whom it should be, that promises name their issue, and that a README shows code at once.
// Each rule is also shown a breach, so that none passes by looking at nothing.
import { describe, expect, test } from 'vitest'
import { blkdebugEvents } from '../packages/block-core/src/driver/events.ts'
import { announcers, conditionalSkips, withoutTwin } from './tidy/exceptions.ts'
import { packageFolders, projectFiles, type SourceFile } from './tidy/files.ts'
import {
  borrowedExports,
  longFiles,
  loosePromises,
  missingTests,
  poorReadmes,
  switchedOffTests,
  twinOf,
  untestedMessages,
} from './tidy/rules.ts'
import { hasLogic, stringLiterals } from './tidy/syntax.ts'

const files = projectFiles()
const file = (path: string, text = ''): SourceFile => ({ path, text })

describe('the project is tidy', () => {
  test('its files are read', () => {
    expect(files.length).toBeGreaterThan(100)
    expect(packageFolders(files)).toContain('packages/driver-qcow2')
  })
  test('every source with logic has a test of its name', () => expect(missingTests(files, withoutTwin)).toEqual([]))
  test('no file is longer than 400 lines', () => expect(longFiles(files, 400)).toEqual([]))
  test('no promise without an issue', () => expect(loosePromises(files)).toEqual([]))
  test('no test is switched off', () => expect(switchedOffTests(files, conditionalSkips)).toEqual([]))
  test('every package has a README with code at once', () => expect(poorReadmes(files, 15, 60)).toEqual([]))
  test("no package hands on another's symbols", () => expect(borrowedExports(files)).toEqual([]))
  test('every message is produced by some test', () => expect(untestedMessages(files)).toEqual([]))
})

describe('blkdebug events', () => {
  // Package to every string in its sources; the list of names itself announces nothing.
  const strings = packageFolders(files)
    .filter((folder) => folder.startsWith('packages/'))
    .map((folder) => {
      const sources = files.filter(
        ({ path }) => path.startsWith(`${folder}/src/`) && !path.endsWith('/driver/events.ts'),
      )
      return { folder, strings: new Set(sources.flatMap((source) => [...stringLiterals(source)])) }
    })

  test.each(blkdebugEvents)('%s is announced by whom it should be', (event) => {
    const announcer = announcers[event]
    const announcing = strings.filter((entry) => entry.strings.has(event)).map(({ folder }) => folder)
    if (typeof announcer === 'string') expect(announcing).toContain(`packages/${announcer}`)
    // An event that has come to be announced is struck off the list of those that are not.
    else expect(announcing).toEqual([])
  })
})

describe('the rules find what they are for', () => {
  const logic = file('packages/a/src/x.ts', 'export function f(): void {}\n')

  test('logic is a function with a body or a class', () => {
    expect(hasLogic(logic)).toBe(true)
    expect(hasLogic(file('x.ts', 'export class C {}'))).toBe(true)
    expect(hasLogic(file('x.ts', 'export const f = (a: number) => a + 1'))).toBe(true)
    expect(hasLogic(file('x.ts', "export const a = 1\nexport type F = (x: 1) => 2\nexport * from './y.ts'"))).toBe(
      false,
    )
    expect(hasLogic(file('x.ts', 'export interface I { f(): void }\nexport declare function g(): void'))).toBe(false)
  })

  test('a missing test, and an exception that excepts nothing', () => {
    expect(missingTests([logic], {})).toEqual(['packages/a/src/x.ts: no packages/a/test/x.test.ts'])
    expect(missingTests([logic, file('packages/a/test/x.test.ts')], {})).toEqual([])
    expect(missingTests([logic], { 'packages/a/src/': 'reason' })).toEqual([])
    expect(missingTests([], { 'packages/a/src/x.ts': 'reason' })).toHaveLength(1)
    expect(twinOf('packages/driver-raw/src/driver.ts')).toBe('packages/driver-raw/test/contract.test.ts')
  })

  test('a long file, a promise, a test switched off', () => {
    expect(longFiles([file('a.ts', 'x\n'.repeat(11))], 10)).toEqual(['a.ts: 11 lines'])
    expect(loosePromises([file('a.ts', `// ${'TO'}DO later\n// ${'TO'}DO(#7) then`)])).toHaveLength(1)
    expect(switchedOffTests([file('a.ts', `${'test'}.only('x')\ntest.skipIf(a)('y')`)], {})).toHaveLength(1)
    expect(switchedOffTests([], { 'a.ts': 'reason' })).toHaveLength(1)
  })

  test('a README without code, a borrowed export', () => {
    const manifest = file('packages/a/package.json', '{}')
    expect(poorReadmes([manifest], 15, 60)).toEqual(['packages/a: no README.md'])
    expect(poorReadmes([manifest, file('packages/a/README.md', '# a\n')], 15, 60)).toHaveLength(1)
    expect(poorReadmes([manifest, file('packages/a/README.md', '# a\n```ts\n')], 15, 60)).toEqual([])
    expect(borrowedExports([file('packages/a/src/index.ts', "export { b } from '@blocklayer/b'")])).toHaveLength(1)
  })

  test('a message that no test contains', () => {
    const source = file('packages/a/src/x.ts', "throw new BlockError('EIO', `Could not read '$" + "{name}' at all`)")
    expect(untestedMessages([source])).toEqual([`packages/a/src/x.ts: "Could not read '"`])
    expect(untestedMessages([source, file('packages/a/test/x.test.ts', "'Could not read \\'a\\' at all'")])).toEqual([])
  })
})
