/** The texts of `--help` and `--version`. */

import manifest from '../package.json' with { type: 'json' }

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

Command syntax:
`

const commands = `  amend [--object objectdef] [--image-opts] [-p] [-q] [-f fmt] [-t cache] [--force] -o options filename
  bench [-c count] [-d depth] [-f fmt] [--flush-interval=flush_interval] [-i aio] [-n] [--no-drain] [-o offset] [--pattern=pattern] [-q] [-s buffer_size] [-S step_size] [-t cache] [-w] [-U] filename
  bitmap (--merge SOURCE | --add | --remove | --clear | --enable | --disable)... [-b source_file [-F source_fmt]] [-g granularity] [--object objectdef] [--image-opts | -f fmt] filename bitmap
  check [--object objectdef] [--image-opts] [-q] [-f fmt] [--output=ofmt] [-r [leaks | all]] [-T src_cache] [-U] filename
  commit [--object objectdef] [--image-opts] [-q] [-f fmt] [-t cache] [-b base] [-r rate_limit] [-d] [-p] filename
  compare [--object objectdef] [--image-opts] [-f fmt] [-F fmt] [-T src_cache] [-p] [-q] [-s] [-U] filename1 filename2
  convert [--object objectdef] [--image-opts] [--target-image-opts] [--target-is-zero] [--bitmaps] [-U] [-C] [-c] [-p] [-q] [-n] [-f fmt] [-t cache] [-T src_cache] [-O output_fmt] [-B backing_file [-F backing_fmt]] [-o options] [-l snapshot_param] [-S sparse_size] [-r rate_limit] [-m num_coroutines] [-W] [--salvage] filename [filename2 [...]] output_filename
  create [--object objectdef] [-q] [-f fmt] [-b backing_file [-F backing_fmt]] [-u] [-o options] filename [size]
  dd [--image-opts] [-U] [-f fmt] [-O output_fmt] [bs=block_size] [count=blocks] [skip=blocks] if=input of=output
  info [--object objectdef] [--image-opts] [-f fmt] [--output=ofmt] [--backing-chain] [-U] filename
  map [--object objectdef] [--image-opts] [-f fmt] [--start-offset=offset] [--max-length=len] [--output=ofmt] [-U] filename
  measure [--output=ofmt] [-O output_fmt] [-o options] [--size N | [--object objectdef] [--image-opts] [-f fmt] [-l snapshot_param] filename]
  snapshot [--object objectdef] [--image-opts] [-U] [-q] [-l | -a snapshot | -c snapshot | -d snapshot] filename
  rebase [--object objectdef] [--image-opts] [-U] [-q] [-f fmt] [-t cache] [-T src_cache] [-p] [-u] -b backing_file [-F backing_fmt] filename
  resize [--object objectdef] [--image-opts] [-f fmt] [--preallocation=prealloc] [-q] [--shrink] filename [+ | -]size
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
 * @param formatNames - names of all drivers there are
 */
export function helpText(formatNames: readonly string[]): string {
  const formats = [...formatNames].sort().map((name) => ` ${name}`)
  return `${versionText()}${usage}${commands}${parameters}\nSupported formats:${formats.join('')}\n`
}
