/** Messages of the specification that are proved otherwise, each with the reason. */

/** Shown by a test that is no command line of these: the file, and what stands in it. */
export const elsewhere: Readonly<Record<string, { readonly file: string; readonly text: string }>> = {
  // Somebody else has the image open.
  'Could not open \'<f>\': Failed to get "write" lock': { file: 'locks.test.ts', text: 'qemu-io' },
  'Failed to get "write" lock': { file: 'locks.test.ts', text: 'commit' },
  // The reference leaves an empty file: docs/differences.md.
  '<f>: Unsupported preallocation mode: metadata': { file: 'create.test.ts', text: 'preallocation=metadata' },
}

/** No failure, or one that leaves something behind in the reference, too: the table's line compares what. */
export const leaving: Readonly<Record<string, string>> = {
  'warning: Using a multiplier suffix on hex numbers is deprecated: <x>': 'a warning: the work is done',
  'Could not open \'<f>\': Failed to get shared "write" lock': 'the image was opened for writing before',
  'Failed request: <e>': 'what is to be done is announced on standard output',
  'Operation add on bitmap <x> failed: Bitmap already exists: <x>': 'actions before it stay done',
  'Cannot use --target-is-zero when the destination image has a backing file': 'status 0, as in the reference',
  "Format driver 'raw' does not support bitmaps": 'the target was made by then, and stays',
  'error while reading block status at offset <n>: <e>': 'a copy that fails leaves the target',
  'error while reading at byte <n>: <e>': 'a copy that fails leaves the target',
  'error while writing at byte <n>: <e>': 'a copy that fails leaves the target',
  '<f>: cannot skip to specified offset': 'status 0, and an empty image, as in the reference',
  'File contains external, encrypted or compressed clusters.': 'lines before it are printed',
  "Could not change the backing file to '<x>': backing format must be specified": 'what differs was copied before',
}

const encryption = 'encrypted images are refused as a whole: README'
const foreign = 'of a format or a protocol that is not there: README'
const unseen = 'a failure that the reference has in its code, and that nobody has seen'

/** Messages of the specification that no command line can give here. */
export const absent: Readonly<Record<string, string>> = {
  "No secret with id '<x>'": encryption,
  "<f>: 'encrypt.format' and its alias 'encryption' can't be used at the same time": encryption,
  "<f>: Parameter 'encrypt.key-secret' is required for cipher": encryption,
  "<f>: Parameter 'format' does not accept value '<x>'": encryption,
  'Compression and encryption not supported at the same time': encryption,
  '<f>: backing_file must be a vmdk image': foreign,
  "Block format '<x>' used by node '<x>' does not support reopening files": foreign,
  'Shrinking images is currently not supported': foreign,
  'Cannot resize NBD nodes': foreign,
  'Cannot resize fixed-size raw disks': foreign,
  'Could not get size of <f>: <e>': unseen,
  "Can't get size of <f>: <e>": unseen,
  "Can't get image size '<f>': <e>": unseen,
  "Failed to get size for '<f>'": unseen,
  'Failed to populate bitmap <x>: <e>': unseen,
  'invalid cluster size': unseen,
  'could not get block driver info': unseen,
}
