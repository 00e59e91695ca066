/** Proves the rules file's grammar, quirks included: every outcome here was observed from the reference's tools. */

import { BlockError } from '@blocklayer/block-core/driver'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../src/config-file.ts'
import { makeRules } from '../src/rule-options.ts'

/** `ok`, or the message of what refuses the text. */
function outcome(text: string): string {
  try {
    makeRules(parseConfig(text))
    return 'ok'
  } catch (error) {
    if (error instanceof BlockError) return error.message
    throw error
  }
}

const long = (length: number): string => 'a'.repeat(length)

describe('section headers', () => {
  test.each([
    ['', 'ok'],
    ['[inject-error]\n', 'Missing event name for rule'],
    ['[foo]\nevent = "x"\n', "There is no option group 'foo'"],
    ['[foo]\n', "There is no option group 'foo'"],
    ['[foo "a"]\n[bar]\n', "There is no option group 'foo'"],
    ['[inject-error\nevent = "none"\n', "There is no option group 'inject-error\n'"],
    ['[ inject-error ]\nevent = "none"\n', "There is no option group ' inject-error '"],
    ['[inject-error foo]\nevent = "none"\n', "There is no option group 'inject-error foo'"],
    ['[inject-error ""]\nevent = "none"\n', 'There is no option group \'inject-error ""\''],
    ['[inject-error "a" foo]\nevent = "none"\n', 'ok'],
    ['[inject-error "a"\nevent = "none"\n', 'ok'],
    ['[inject-error] foo\nevent = "none"\n', 'ok'],
    [' [inject-error]\nevent = "none"\n', 'no group defined'],
    ['[]\nevent = "none"\n', 'no group defined'],
    [`[${long(70)}]\nevent = "none"\n`, `There is no option group '${long(63)}'`],
    [`[inject-error "${long(70)}"]\nevent = "none"\n`, 'ok'],
  ])('%j: %s', (text, expected) => expect(outcome(text)).toBe(expected))
})

describe('identifiers', () => {
  test.each([
    ['[inject-error "a"]\nevent = "none"\n[inject-error "a"]\nevent = "none"\n', "Duplicate ID 'a' for inject-error"],
    ['[inject-error "a"]\nevent = "none"\n[inject-error "a"]\nbogus = "z"\n', "Duplicate ID 'a' for inject-error"],
    ['[inject-error "a"]\nevent = "none"\n[inject-error "b"]\nevent = "none"\n', 'ok'],
    ['[inject-error "a"]\nevent = "none"\n[set-state "a"]\nevent = "none"\n', 'ok'],
    [
      '[inject-error]\nid = "b"\nevent = "none"\n[inject-error "b"]\nevent = "none"\n',
      "Duplicate ID 'b' for inject-error",
    ],
    ['[inject-error "a b"]\nevent = "none"\n', "Parameter 'id' expects an identifier"],
    ['[inject-error "1a"]\nbogus = "z"\n', "Parameter 'id' expects an identifier"],
    ['[inject-error]\nid = "1b"\nevent = "none"\n', "Parameter 'id' expects an identifier"],
  ])('%j: %s', (text, expected) => expect(outcome(text)).toBe(expected))

  test('the message comes with advice', () => {
    expect(() => parseConfig('[inject-error "1a"]\n')).toThrow(
      expect.objectContaining({
        hint: "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.",
      }),
    )
  })
})

describe('keys and values', () => {
  test.each([
    ['event = "x"\n', 'no group defined'],
    ['foo\n', 'no group defined'],
    ['   \n', 'parse error'],
    ['[inject-error]\n   \nevent = "none"\n', 'parse error'],
    ['[inject-error]\nevent = "foo"\n', 'invalid parameter value: foo'],
    ['[inject-error]\nevent = read_aio\n', 'invalid parameter value: '],
    ['[inject-error]\nevent\n', 'invalid parameter value: '],
    ['[inject-error]\nevent =\n', 'invalid parameter value: '],
    ['[inject-error]\nevent = ""\n', 'invalid parameter value: '],
    ['[inject-error]\nevent = "none\n', 'invalid parameter value: none\n'],
    ['[inject-error]\nevent = "no"ne"\n', 'invalid parameter value: no'],
    ['[inject-error]\n = "none"\n', "Invalid parameter '='"],
    ['[inject-error]\nevent="read_aio"\n', 'Invalid parameter \'event="read_aio"\''],
    ['[inject-error]\nevent= "none"\n', "Invalid parameter 'event='"],
    ['[inject-error]\nevent ="none"\n', 'ok'],
    ['[inject-error]\nevent = "read_aio" trailing\n', 'ok'],
    ['[inject-error]\nevent = "foo"\nevent = "read_aio"\n', 'ok'],
    ['\n# c\n\n[inject-error]\n\n  event = "none"\n\tiotype  =   "read"\n#x\n', 'ok'],
    ['[inject-error]\r\nevent = "none"\r\niotype = "read"\r\n', 'ok'],
    ['[inject-error]\nevent = "none"\niotype = "read"', 'ok'],
    ['[inject-error]\nevent = "none"\n #comment\n', "Invalid parameter '#comment'"],
    [`[inject-error]\n${long(70)} = "1"\n`, `Invalid parameter '${long(63)}'`],
    // A line that does not fit the buffer goes on as a line of its own.
    [`[inject-error]\nevent = "${long(1100)}"\n`, `Invalid parameter '${long(63)}'`],
  ])('%j: %s', (text, expected) => expect(outcome(text)).toBe(expected))
})

describe('which error wins', () => {
  test.each([
    ['[inject-error]\nerrno = "abc"\n[foo]\n', "Parameter 'errno' expects a number"],
    ['[inject-error]\nevent = "foo"\n[set-state]\nstate = "x"\n', "Parameter 'state' expects a number"],
    ['[set-state]\nevent = "foo"\n[inject-error]\nevent = "bar"\n', 'invalid parameter value: bar'],
    ['[inject-error]\nevent = "none"\nbogus = "1"\n  \n', 'parse error'],
    ['[inject-error]\nerrno = "x"\nstate = "y"\nonce = "z"\nbogus = "1"\n', "Parameter 'once' expects 'on' or 'off'"],
    ['[inject-error]\nbogus = "1"\naogus = "z"\n', "Invalid parameter 'aogus'"],
  ])('%j: %s', (text, expected) => expect(outcome(text)).toBe(expected))
})

// Not a slip of a pattern that gives back what it took: `[a"b"]` is one word.
test('words are as long as they can be', () => {
  expect(outcome('[inject-error"a"]\nevent = "none"\n')).toBe('There is no option group \'inject-error"a"\'')
})

// As observed: looking for an identifier, the reference overwrites the name under which the last section goes.
test('an empty header renames the section it stands in, where that is the last one', () => {
  expect(() => parseConfig('[inject-error]\nevent = "none"\n[]\n')).toThrow("There is no option group ']'")
  expect(() => parseConfig('[inject-error]\nevent = "none"\n[]\n[set-state]\n')).toThrow("Invalid parameter '[]'")
  expect(() => parseConfig('[]\n')).toThrow('no group defined')
})
