// Proves where help is asked for, and that what comes behind is not looked at while what stands before is, as by the
// reference. The text itself is in our own words; it begins with the reference's version.

import { runTable } from './run-table.ts'

/** The text of help, as a word. */
function maskHelp(text: string): string {
  return text.replace(/qemu-img version 7\.2\.22 .*?(?=\n--- stderr\n)/s, 'HELP')
}

runTable(
  'help',
  [
    'amend -h',
    'amend --help',
    'bench -h',
    'bench --help',
    'bitmap -h',
    'bitmap --help',
    'check -h',
    'check --help',
    'commit -h',
    'commit --help',
    'compare -h',
    'compare --help',
    'convert -h',
    'convert --help',
    'create -h',
    'create --help',
    'dd -h',
    'dd --help',
    'info -h',
    'info --help',
    'map -h',
    'map --help',
    'measure -h',
    'measure --help',
    'rebase -h',
    'rebase --help',
    'resize -h image',
    'resize --help image',
    'snapshot -h',
    'snapshot --help',
    'create -f qcow2 --he x 1M',
    'create -hZ x 1M',
    'create -Z -h',
    'create -f',
    'info --output=yaml -h q',
    'measure --bogus -h',
    'convert -m 99 -h',
    'convert -h -m 99',
  ],
  maskHelp,
)
