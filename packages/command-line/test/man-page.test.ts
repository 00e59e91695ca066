/** Proves that a manual has its sections, and that no text is taken for a command of troff. */

import { expect, test } from 'vitest'
import { manPage } from '../src/man-page.ts'

test('a page', () => {
  const page = manPage({
    name: 'qemu-io',
    version: '1.0',
    summary: 'pokes',
    synopsis: '[OPTIONS]... [file]',
    description: ['First… 😀', '.second\\n'],
    options: [{ long: 'format', letter: 'f', value: 'FMT', text: "'raw' or another" }],
    sections: [
      { title: 'Commands', entries: [{ head: 'read off', text: 'reads', options: [{ head: '-q', text: 'quiet' }] }] },
    ],
  })
  expect(page.split('\n')).toEqual([
    '.TH "QEMU\\-IO" 1 "" "Blocklayer 1.0"',
    '.SH NAME',
    'qemu\\-io \\- pokes',
    '.SH SYNOPSIS',
    '.B qemu\\-io',
    '[OPTIONS]... [file]',
    '.SH DESCRIPTION',
    '.PP',
    'First\\[u2026] \\[u1F600]',
    '.PP',
    '\\&.second\\en',
    '.SH OPTIONS',
    '.TP',
    '.B \\-f, \\-\\-format FMT',
    "\\&'raw' or another",
    '.SH COMMANDS',
    '.TP',
    '.B read off',
    'reads',
    '.RS',
    '.TP',
    '.B \\-q',
    'quiet',
    '.RE',
    '',
  ])
})
