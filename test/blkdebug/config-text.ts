// Texts of rules files, good and bad: pieces of lines joined at random, so that every quirk of the line scanner comes up.
import type { Random } from '@blocklayer/block-core/testing'

const headers = [
  '[inject-error]',
  '[set-state]',
  '[inject-error "a"]',
  '[set-state "a"]',
  '[inject-error "1bad"]',
  '[inject-error"a"]',
  '[ inject-error ]',
  '[inject-error',
  '[foo]',
  '[foo "a"]',
  '[]',
  '[set-state "a" trailing',
  `[${'x'.repeat(70)}]`,
]

const keys = ['event', 'state', 'new_state', 'iotype', 'errno', 'sector', 'once', 'immediately', 'bogus', 'id']

const values = [
  '"none"',
  '"read_aio"',
  '"flush_to_disk"',
  '"foo"',
  '"2"',
  '"-1"',
  '"0x10"',
  '"abc"',
  '"1k"',
  '"on"',
  '"off"',
  '"maybe"',
  '"read"',
  '"write-zeroes"',
  '"block-status"',
  '""',
  '"unclosed',
  'unquoted',
  '"a b"',
  '"18446744073709551616"',
]

const others = ['', ' ', '# comment', ' # not a comment', 'word', 'two words', '=', '  = "x"', '\t', ']', '"x"']

/** Up to nine lines, most of which are meant well. */
export function randomConfig(choose: Random): string {
  const lines: string[] = []
  for (let count = choose.below(9); count >= 0; count--) lines.push(randomLine(choose, lines.length === 0))
  return lines.join('\n') + (choose.chance(0.8) ? '\n' : '')
}

function randomLine(choose: Random, isFirst: boolean): string {
  if (isFirst || choose.chance(0.15)) return choose.pick(choose.chance(0.75) ? headers.slice(0, 4) : headers)
  if (choose.chance(0.08)) return choose.pick(others)
  const key = choose.pick(keys)
  const equals = choose.chance(0.92) ? ' = ' : choose.pick(['=', ' =', '= ', '\t=\t', '  =  '])
  const lead = choose.chance(0.1) ? '  ' : ''
  const tail = choose.chance(0.1) ? ' trailing' : ''
  return `${lead}${key}${equals}${goodValue(choose, key)}${tail}`
}

/** A value that suits the key, most of the time. */
function goodValue(choose: Random, key: string): string {
  if (choose.chance(0.12)) return choose.pick(values)
  if (key === 'event') return choose.pick(['"none"', '"read_aio"', '"pwritev"'])
  if (key === 'iotype') return choose.pick(['"read"', '"write"', '"flush"'])
  if (key === 'once' || key === 'immediately') return choose.pick(['"on"', '"off"'])
  return choose.pick(['"0"', '"1"', '"5"', '"28"'])
}
