/** Messages of the catalogue that have no place here yet, or none at all, and those that a table of comparisons proves. */

const daemon = "words of the storage daemon's commands, which come with that program"
const nbd = 'words of the nbd driver, which comes with its issue'
const neverFails = 'lengths are properties here and are known as long as the node has a medium'

/** Messages that no source has, each with the reason. */
export const absent: Readonly<Record<string, string>> = {
  "Parameter 'file.bogus' is unexpected": daemon,
  "Parameter 'driver' does not accept value '%s'": daemon,
  "Device '(null)' is in use": daemon,
  'block device is in use by block-job-complete': daemon,
  'Need a root block node': daemon,
  'New overlay node-name missing': daemon,
  'New overlay node-name already in use': daemon,
  'Changing iothreads is not supported by %s': 'there are no threads that a node could belong to',
  'Failed to get old image size': neverFails,
  'Could not get backing file size': neverFails,
  'Cannot resize NBD nodes': nbd,
  'Cannot grow NBD nodes': nbd,
  "Failed to connect to '%s': %s": nbd,
  'Requested export not available': nbd,
  "server reported: export '%s' not present": nbd,
  "Node '%s' is read only": 'only reopening makes a node writable, which the reference never refuses in these words',
  "Unknown driver: '%s'": 'the reference has met the other wording by then',
  "Driver '%s' can only be used for read-only devices":
    'the words of a list of permitted drivers; a graph has those it is given',
  "Driver '%s' is not whitelisted": 'the words of a list of permitted drivers; a graph has those it is given',
  'Invalid password, cannot unlock any keyslot': 'encryption comes with its issue',
  'File lock requested but OFD locking syscall is unavailable, falling back to POSIX file locks':
    'refused instead, see docs/differences.md: such locks are lost unexpectedly',
  'Due to the implementation, locks can be lost unexpectedly.':
    'refused instead, see docs/differences.md: such locks are lost unexpectedly',
}

/** Messages that a test produces on both sides and compares, without having them in its text: where, and by which line. */
export const compared: Readonly<Record<string, readonly [file: string, line: string]>> = {
  'Use of backing file requires explicit backing format': [
    'apps/qemu-img-cli/test/contract/convert.test.ts',
    "'convert -B base -O qcow2 q x'",
  ],
  "Could not determine absolute backing filename, but backing filename '%s' present": [
    'apps/qemu-img-cli/test/contract/info.test.ts',
    'info --backing-chain json:{"driver":"qcow2","file":{"driver":"quorum"',
  ],
}
