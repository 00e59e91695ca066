// Two descriptions of the same node are the same text, and generated names do not count processes' history.
import { expect, test } from 'vitest'
import { filterNodeNames } from '../../src/filters/node-names.ts'

test('keys of a json: name are sorted, inside and out', () => {
  const text =
    'image: json:{"driver": "qcow2", "file": {"image": {"filename": "a}\\"b", "driver": "file"}, "driver": "blkdebug"}} (x)'
  expect(filterNodeNames(text)).toBe(
    'image: json:{"driver": "qcow2", "file": {"driver": "blkdebug", "image": {"driver": "file", "filename": "a}\\"b"}}} (x)',
  )
})

test('lists keep their order', () => {
  expect(filterNodeNames('json:{"b": [2, {"d": 1, "c": null}], "a": true}')).toBe(
    'json:{"a": true, "b": [2, {"c": null, "d": 1}]}',
  )
})

test('several names in one text', () => {
  expect(filterNodeNames('json:{"b":1} and json:{"d":1,"c":2}')).toBe('json:{"b": 1} and json:{"c": 2, "d": 1}')
})

test.each(['json:{"driver": "qcow2", "file...', 'json:{not json}'])('what is no JSON stays: %s', (text) => {
  expect(filterNodeNames(text)).toBe(text)
})

test('generated node names', () => {
  expect(filterNodeNames("node '#block123' and '#block7'")).toBe("node 'NODE_NAME' and 'NODE_NAME'")
})
