/** The texts of `--help` and `--version`. */

import { optionHead } from '@blocklayer/command-line'
import manifest from '../package.json' with { type: 'json' }
import { commandOptions } from './args/command-options.ts'
import type { CommandTable } from './tables/command-table.ts'
import { commandTables } from './tables/index.ts'

/** The reference whose behaviour this is, for scripts that compare versions. */
const referenceVersion = '7.2.22'

/** What `--version` prints: the reference's version first, where scripts look for it. */
export function versionText(): string {
  return (
    `qemu-img version ${referenceVersion} (Blocklayer ${manifest.version})\n` +
    'Copyright (c) 2026 The Blocklayer developers\n'
  )
}

const usage = `usage: qemu-img [standard options] command [command options]
Disk image utility

    '-h', '--help'       display this help and exit
    '-V', '--version'    output version information and exit
    '-T', '--trace'      accepted and ignored
    '--driver module'    load further drivers from a package or a file; anywhere on the
                         command line (also: BLOCKLAYER_DRIVERS=module,module)
    '--errors form'      text, or json: one line for each error, with a code; anywhere on
                         the command line (also: BLOCKLAYER_ERRORS=json)
    '--schema name'      print the JSON schema of a command's --output json and exit
    '--man'              print the manual (troff) and exit
    '--completion shell' print completion for bash, zsh or fish and exit

Command syntax:
`

const parameters = `
Parameters:
  fmt          image format; probed where it is not given (unsafe for raw images whose
               content somebody else controls)
  cache        none, writeback (default), writethrough, directsync, unsafe (default for
               the target of convert)
  size         bytes, or with a suffix k, M, G, T, P, E for powers of 1024
  options      name=value,name=value of the format; -o help lists them
  ofmt         human or json
  -p           show progress
  -q           print nothing but errors
  -U           do not lock, and ignore the locks of others
  --image-opts the file name is a list of options: driver=qcow2,file.filename=x

  amend:   what cannot be undone (erasing a key) takes --force
  bitmap:  the actions are done one after the other; --merge takes the bits of SOURCE, which
           is a bitmap of source_file or else of the image itself
  check:   -r leaks or -r all mends what it finds
  commit:  -b commits down to that image, -d does not empty the image afterwards
  compare: -s also fails for different sizes or allocation
  convert: -c compresses the target, -l reads an internal snapshot of the source;
           -n writes into an existing target, -S sets the length of zero runs to leave
           out (0: none), --bitmaps takes persistent bitmaps along, -m the number of parallel requests, -W allows any order
  bench:   times COUNT requests of BUFFER_SIZE bytes, DEPTH of them at once; -w writes
           over what the image holds
  create:  -u does not open the backing file
  dd:      copies COUNT blocks of BLOCK_SIZE bytes (default 512), the first SKIP left out
  measure: how large a new image would be, of that size or with the content of a file
  snapshot: -l lists internal snapshots, -c makes, -a returns to and -d deletes one
  rebase:  -b names the new backing file (-b '' for none), -F its format; what it does not
           show alike is copied first, except with -u, which changes the record only
  resize:  --shrink allows what would be cut off to be lost; prealloc is off, metadata,
           falloc or full, and fills what is added
`

/**
 * What `--help` prints. Scripts look for the line `Supported formats:` with one blank before each name.
 *
 * @param formatNames - names of all drivers there are, sorted
 */
export function helpText(formatNames: readonly string[]): string {
  const formats = formatNames.map((name) => ` ${name}`)
  const commands = commandTables.map((table) => `  ${table.name} ${table.usage}\n`).join('')
  return `${versionText()}${usage}${commands}${parameters}\nSupported formats:${formats.join('')}\n`
}

/** What `--help` prints for one command where QEMU 10 is spoken. */
export function commandHelp(table: CommandTable): string {
  const { name, summary, usage: line } = table
  const head = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.  Usage:\n\n`
  return [
    head,
    wrapped(`qemu-img ${name} ${line}`, { width: 78, first: '  ', rest: ' '.repeat(8) }),
    '\nOptions:\n',
    ...commandOptions(table, '10').map((option) => `  ${optionHead(option)}\n     ${option.text}\n`),
  ].join('')
}

/** Words of `text` in lines that are no longer than `width`; what stands in brackets stays together. */
function wrapped(
  text: string,
  { width, first, rest }: { readonly width: number; readonly first: string; readonly rest: string },
): string {
  const words = text.match(/\[[^[\]]*\]|\([^()]*\)\S*|\S+/g) ?? []
  const lines: string[] = []
  let line = first
  for (const word of words) {
    const glue = line.trim() === '' ? '' : ' '
    if (line.trim() !== '' && line.length + glue.length + word.length > width) {
      lines.push(line)
      line = rest + word
    } else line += glue + word
  }
  return [...lines, line, ''].join('\n')
}
