/** JSON text is the reference's, byte for byte: key order, escapes, layout. */

import { expect, test } from 'vitest'
import { hashOrdered, type JsonValue, qdictBucket, toQemuJson } from '../../src/util/json.ts'
import { describeWithReference, qemuImg } from '../options/reference.ts'

// Buckets read off the reference's output of info, check, measure and node names.
test.each([
  ['backing-image', 80],
  ['virtual-size', 309],
  ['filename', 313],
  ['format-specific', 354],
  ['dirty-flag', 501],
  ['compat', 16],
  ['extended-l2', 503],
  ['image-end-offset', 30],
  ['fragmented-clusters', 484],
  ['driver', 239],
  ['file', 463],
  ['image', 181],
  ['inject-error.0.event', 324],
  ['align', 509],
  ['create-type', 251],
])('bucket of %s is %d', (key, bucket) => {
  expect(qdictBucket(key)).toBe(bucket)
})

test('within a bucket the entry that came last stands first', () => {
  const twins = collision()
  expect(hashOrdered(twins.map((key, i) => [key, i] as const)).map(([key]) => key)).toEqual([...twins].reverse())
})

/** Two keys of one bucket. */
function collision(): [string, string] {
  const seen = new Map<number, string>()
  for (let i = 0; ; i++) {
    const earlier = seen.get(qdictBucket(`k${i}`))
    if (earlier !== undefined) return [earlier, `k${i}`]
    seen.set(qdictBucket(`k${i}`), `k${i}`)
  }
}

test('one line', () => {
  const value = {
    filename: 'r',
    driver: 'raw',
    offset: 512n,
    list: [],
    empty: {},
    skipped: undefined,
    no: null,
    yes: true,
  }
  expect(toQemuJson(value, { pretty: false })).toBe(
    '{"yes": true, "list": [], "offset": 512, "driver": "raw", "empty": {}, "no": null, "filename": "r"}',
  )
})

test('pretty', () => {
  const value: JsonValue = new Map<string, JsonValue>([
    ['filename', 'r'],
    ['children', [1, { name: 'x' }]],
    ['none', []],
  ])
  expect(toQemuJson(value, { pretty: true })).toBe(
    [
      '{',
      '    "children": [',
      '        1,',
      '        {',
      '            "name": "x"',
      '        }',
      '    ],',
      '    "filename": "r",',
      '    "none": [',
      '    ]',
      '}',
    ].join('\n'),
  )
})

test('strings leave as ASCII', () => {
  expect(toQemuJson('"\\\b\f\n\r\t\u0001\u007f</é😀\ud800\ufeff', { pretty: false })).toBe(
    '"\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007F</\\u00E9\\uD83D\\uDE00\\uFFFD\\uFEFF"',
  )
})

test.each<[number | bigint, string]>([
  [0, '0'],
  [-0, '0'],
  [-5, '-5'],
  [2 ** 53 - 1, '9007199254740991'],
  [9007199254740993n, '9007199254740993'],
  [1.5, '1.5'],
  [0.1, '0.10000000000000001'],
  [1e-5, '1.0000000000000001e-05'],
  [0.0001, '0.0001'],
  [2 ** 56, '72057594037927936'],
  [1e17, '1e+17'],
  [1.25e300, '1.2500000000000001e+300'],
  [2 ** 64, '1.8446744073709552e+19'],
])('number %d is %s', (value, text) => {
  expect(toQemuJson(value, { pretty: false })).toBe(text)
})

describeWithReference('against qemu-img', () => {
  test.each([
    { driver: 'null-co', size: 1 << 20, 'read-zeroes': true },
    { 'read-zeroes': 'on', size: '4k', driver: 'null-co' },
    { driver: 'raw', offset: 512, size: '1k', file: { driver: 'null-co', size: 2 ** 40 } },
  ])('names a node as the reference does: %j', (value) => {
    const { stdout } = qemuImg('info', '--output=json', `json:${JSON.stringify(value)}`)
    expect((JSON.parse(stdout) as { filename: string }).filename).toBe(`json:${toQemuJson(value, { pretty: false })}`)
  })

  test('prints an information document as the reference does', () => {
    const { stdout } = qemuImg('info', '--output=json', 'json:{"driver":"null-co","size":"1M"}')
    expect(`${toQemuJson(JSON.parse(stdout) as JsonValue, { pretty: true })}\n`).toBe(stdout)
  })
})
