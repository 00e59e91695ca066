/** The options of the program: one table for parsing, `--help`, the manual and completion. */

import type { ProgramOption } from '@blocklayer/command-line'
import { aioNames, cacheModeNames, discardModeNames } from '@blocklayer/qemu-io'

/** In the order of `--help`. */
export const programOptions: readonly ProgramOption[] = [
  { long: 'object', value: 'OBJECTDEF', text: "define an object: 'secret,id=sec0,data=…'" },
  { long: 'image-opts', text: 'the file is a list of options: driver=qcow2,file.filename=x' },
  { long: 'cmd', letter: 'c', value: 'STRING', text: 'run this command line and read none from standard input' },
  {
    long: 'format',
    letter: 'f',
    value: 'FMT',
    completes: 'format',
    text: 'image format; probed where it is not given',
  },
  { long: 'read-only', letter: 'r', text: 'open read-only' },
  { long: 'snapshot', letter: 's', text: 'write to a temporary overlay' },
  { long: 'nocache', letter: 'n', text: 'bypass the page cache, like -t none' },
  { long: 'copy-on-read', letter: 'C', text: 'copy into the image what is read from its backing file' },
  { long: 'misalign', letter: 'm', text: 'accepted: buffers here have no addresses to misalign' },
  { long: 'native-aio', letter: 'k', text: 'like -i native' },
  { long: 'aio', letter: 'i', value: 'MODE', choices: aioNames, text: 'how files are read and written' },
  { long: 'cache', letter: 't', value: 'MODE', choices: cacheModeNames, text: 'cache mode' },
  { long: 'discard', letter: 'd', value: 'MODE', choices: discardModeNames, text: 'whether discards are passed on' },
  { long: 'trace', letter: 'T', value: 'SPEC', text: 'accepted and ignored' },
  { long: 'force-share', letter: 'U', text: 'let others write meanwhile; only with -r' },
  {
    long: 'driver',
    value: 'MODULE',
    exactOnly: true,
    text: 'load further drivers from a package or a file (also: BLOCKLAYER_DRIVERS=module,module)',
  },
  {
    long: 'completion',
    value: 'SHELL',
    choices: ['bash', 'zsh', 'fish'],
    exactOnly: true,
    text: 'print completion for a shell and exit',
  },
  { long: 'man', exactOnly: true, text: 'print the manual (troff) and exit' },
  { long: 'help', letter: 'h', text: 'display this help and exit' },
  { long: 'version', letter: 'V', text: 'output version information and exit' },
]
