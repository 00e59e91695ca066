/** Option strings split where the reference splits them, and say what it says. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  hasHelpOption,
  isValidOptionList,
  optionListEntries,
  parseKeyValue,
  parseOptionList,
} from '../../src/options/key-value.ts'
import { propertySettings } from '../util/property.ts'
import { describeWithReference, qemuImg } from './reference.ts'

describe('parseKeyValue', () => {
  test.each<[string, Record<string, string>]>([
    ['', {}],
    ['driver=raw', { driver: 'raw' }],
    ['driver=raw,', { driver: 'raw' }],
    ['driver=raw,,', { driver: 'raw,' }],
    ['driver=raw,,,', { driver: 'raw,' }],
    ['driver=raw,,,x=1', { driver: 'raw,', x: '1' }],
    ['a=b=c', { a: 'b=c' }],
    ['a=1,,b', { a: '1,b' }],
    ['a=,b=1', { a: '', b: '1' }],
    ['a=1,b=2,a=3', { a: '3', b: '2' }],
    ['=1', { '': '1' }],
    [' a =1', { ' a ': '1' }],
    ['q', { file: 'q' }],
    [',', { file: '' }],
    ['foo,,bar', { file: 'foo,bar' }],
    ['foo,,bar,driver=raw', { file: 'foo,bar', driver: 'raw' }],
    ['nodriver', { file: 'nodriver' }],
    ['a=1,foo,,bar=2', { a: '1', foo: 'on', '': 'on', bar: '2' }],
    ['a=1,nox', { a: '1', x: 'off' }],
    ['a=1,node', { a: '1', de: 'off' }],
    ['a=1,no', { a: '1', '': 'off' }],
    ['a=1,no=1', { a: '1', no: '1' }],
    ['id=a-1,b=2', { id: 'a-1', b: '2' }],
  ])('%j', (text, expected) => {
    expect(Object.fromEntries(parseKeyValue(text, { impliedKey: 'file' }))).toEqual(expected)
  })

  test('short booleans are warned about', () => {
    const warnings: string[] = []
    parseKeyValue('first,x,nox', { onDeprecated: (message) => warnings.push(message) })
    expect(warnings).toEqual([
      "short-form boolean option 'first' deprecated\nPlease use first=on instead",
      "short-form boolean option 'x' deprecated\nPlease use x=on instead",
      "short-form boolean option 'nox' deprecated\nPlease use x=off instead",
    ])
  })

  test('an id must be an identifier', () => {
    expect(() => parseKeyValue('a=1,id=1x')).toThrow(
      expect.objectContaining({
        message: "Parameter 'id' expects an identifier",
        hint: "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.",
      }),
    )
  })

  test('what is written with doubled commas comes back', () => {
    const key = fc.stringMatching(/^[a-z.-]{1,12}$/).filter((name) => name !== 'id')
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(key, fc.string()), { selector: ([name]) => name }), (entries) => {
        const text = entries.map(([name, value]) => `${name}=${value.replaceAll(',', ',,')}`).join(',')
        expect([...parseKeyValue(text)]).toEqual(entries)
        expect([...parseOptionList(text)]).toEqual(entries)
      }),
      propertySettings(),
    )
  })
})

describe('option lists', () => {
  test.each<[string, [string, string][]]>([
    ['size=1k,,', [['size', '1k,']]],
    [
      'lazy_refcounts,,x',
      [
        ['lazy_refcounts', 'on'],
        ['', 'on'],
        ['x', 'on'],
      ],
    ],
    ['nofoo', [['foo', 'off']]],
    [
      'cluster_size=x,cluster_size=4k',
      [
        ['cluster_size', 'x'],
        ['cluster_size', '4k'],
      ],
    ],
    ['id=1x,a=1', [['a', '1']]],
  ])('%j', (text, entries) => {
    expect(optionListEntries(text)).toEqual(entries)
    expect(parseOptionList(text)).toEqual(new Map(entries))
  })

  const valid = ['size=1k', 'size=1k,,', 'a,,b', 'a=b,,,,']
  const invalid = ['', ',', ',,', 'size=1k,', ',size=1k', 'size=1k,,,', 'help,']
  const help = ['help', '?', 'cluster_size=4k,help', 'a,,help', 'help,,x', 'x ,help']
  const noHelp = [' help', 'nohelp', 'help=on', '?=1', 'backing_file=a,,help', 'helper']

  test('validity', () => {
    expect(valid.filter((text) => !isValidOptionList(text))).toEqual([])
    expect(invalid.filter(isValidOptionList)).toEqual([])
  })

  test('help', () => {
    expect(help.filter((text) => !hasHelpOption(text))).toEqual([])
    expect(noHelp.filter(hasHelpOption)).toEqual([])
  })

  describeWithReference('against qemu-img create', () => {
    // /dev/null/x: nothing may be made by what is accepted.
    const create = (text: string) => qemuImg('create', '-f', 'qcow2', '-o', text, '/dev/null/x', '1M')

    test.each(invalid)('%j is invalid', (text) => {
      expect(create(text).stderr).toBe(`qemu-img: Invalid option list: ${text}\n`)
    })
    test.each([...valid, ...noHelp])('%j is valid and no request for help', (text) => {
      const { stdout, stderr } = create(text)
      expect(stderr).not.toContain('Invalid option list')
      expect(stdout).not.toContain('Supported')
    })
    test.each(help)('%j asks for help', (text) => {
      expect(create(text).stdout).toContain('Supported')
    })
  })
})

describeWithReference('against qemu-img info --image-opts', () => {
  test.each(['driver=null-co,x', 'driver=null-co,nox', 'driver=null-co,node', 'driver=null-co,size=1M,,'])(
    '%j',
    (text) => {
      let warnings = ''
      const flat = parseKeyValue(text, {
        impliedKey: 'file',
        onDeprecated: (message) => {
          warnings += `qemu-img: warning: ${message}\n`
        },
      })
      const { stderr } = qemuImg('info', '--image-opts', text)
      expect(stderr.slice(0, warnings.length)).toBe(warnings)
      const unknown = [...flat.keys()].find((key) => key !== 'driver' && key !== 'size')
      if (unknown !== undefined) expect(stderr).toContain(`doesn't support the option '${unknown}'`)
    },
  )
})
