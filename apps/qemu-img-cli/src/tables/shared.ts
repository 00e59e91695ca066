/** Options that several subcommands have. */

import type { CommandOption } from './command-table.ts'

/** Names of the cache modes. */
export const cacheModes: readonly string[] = ['none', 'off', 'directsync', 'writeback', 'unsafe', 'writethrough']

/** `-f` where there is no long name. */
export const formatLetter: CommandOption = {
  letter: 'f',
  long10: 'format',
  value: 'FMT',
  completes: 'format',
  text: 'format of the image; probed where it is not given',
}

/** `-f`, `--format`. */
export const format: CommandOption = { ...formatLetter, long: 'format' }

/** `--image-opts`. */
export const imageOpts: CommandOption = {
  long: 'image-opts',
  text: 'file names are lists of options: driver=qcow2,file.filename=x',
}

/** `-U`, `--force-share`. */
export const forceShare: CommandOption = {
  long: 'force-share',
  letter: 'U',
  text: 'do not lock, and ignore the locks of others',
}

/** `-q`. */
export const quiet: CommandOption = { letter: 'q', long10: 'quiet', text: 'print nothing but errors' }

/** `-p`. */
export const progress: CommandOption = { letter: 'p', long10: 'progress', text: 'show progress' }

/** `-t`. */
export const cache: CommandOption = {
  letter: 't',
  long10: 'cache',
  value: 'CACHE',
  choices: cacheModes,
  text: 'cache mode of what is written; writeback where it is not given',
}

/** `-T`. */
export const sourceCache: CommandOption = {
  letter: 'T',
  long10: 'cache',
  value: 'SRC_CACHE',
  choices: cacheModes,
  text: 'cache mode of what is read; writeback where it is not given',
}

/** `--output` of the commands that have it in the reference. */
export const output: CommandOption = {
  long: 'output',
  value: 'OFMT',
  choices: ['human', 'json'],
  text: 'how the report is printed',
}

/** `-o` for a new image. */
export const creationOptions: CommandOption = {
  letter: 'o',
  long10: 'options',
  value: 'OPTIONS',
  text: 'name=value,name=value of the format; -o help lists them',
}

/** `-r` in bytes per second. */
export const rateLimit: CommandOption = {
  letter: 'r',
  long10: 'rate-limit',
  value: 'RATE',
  text: 'at most so many bytes per second',
}

/** `-F` of a new backing file. */
export const backingFormat: CommandOption = {
  letter: 'F',
  value: 'BACKING_FMT',
  completes: 'format',
  text: 'format of the backing file',
}

/** Its name since 10.1. */
export const backingFormat10: CommandOption = {
  ...backingFormat,
  long: 'backing-format',
  letter: 'B',
  since: '10',
  means: 'F',
}
