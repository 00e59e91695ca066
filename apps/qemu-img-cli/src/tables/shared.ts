/** Options that several subcommands have. */

import type { CommandOption } from './command-table.ts'

/** Names of the cache modes. */
export const cacheModes: readonly string[] = ['none', 'off', 'directsync', 'writeback', 'unsafe', 'writethrough']

/** `-f` where there is no long name. */
export const formatLetter: CommandOption = {
  letter: 'f',
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
export const quiet: CommandOption = { letter: 'q', text: 'print nothing but errors' }

/** `-p`. */
export const progress: CommandOption = { letter: 'p', text: 'show progress' }

/** `-t`. */
export const cache: CommandOption = {
  letter: 't',
  value: 'CACHE',
  choices: cacheModes,
  text: 'cache mode of what is written; writeback where it is not given',
}

/** `-T`. */
export const sourceCache: CommandOption = {
  letter: 'T',
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
  value: 'OPTIONS',
  text: 'name=value,name=value of the format; -o help lists them',
}

/** `-r` in bytes per second. */
export const rateLimit: CommandOption = { letter: 'r', value: 'RATE', text: 'at most so many bytes per second' }
