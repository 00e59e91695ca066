/** Refusals and warnings of the specification that take some arranging: each with a command line that shows it. */

import type { Example } from './shown.ts'

const readError = (image: string, event: string): string =>
  `driver=qcow2,file.driver=blkdebug,file.image.filename=${image},file.inject-error.0.event=${event}`
const badSector =
  'driver=raw,file.driver=blkdebug,file.image.filename=r,file.inject-error.0.event=none,file.inject-error.0.iotype=read,file.inject-error.0.sector=128'
/** A bitmap that is still in use. */
const broken = "qemu-io -c 'write 0 64k' -c abort marked >/dev/null 2>&1 || true"
/** The name of a backing file that cannot be read. */
const unreadable =
  'json:{"driver":"qcow2","file":{"driver":"blkdebug","image":{"driver":"file","filename":"base"},"inject-error.0.event":"read_aio"}}'

/** Messages behind the program's name; `<x>` stands for any text. */
export const arranged: Readonly<Record<string, Example>> = {
  "<f>Value '<x>' is out of range for parameter 'size'": 'create -f qcow2 -o size=16E x',
  'Operation add on bitmap <x> failed: Bitmap name cannot be empty': "bitmap --add q ''",
  "Operation add on bitmap <x> failed: Can't make bitmap '<x>' persistent in '<x>': Name length exceeds maximum (1023 characters)": `bitmap --add q ${'n'.repeat(1024)}`,
  "Operation <x> on bitmap <x> failed: Bitmap '<x>' is inconsistent and cannot be used": [
    'bitmap --clear marked b0',
    broken,
  ],
  "Operation merge on bitmap <x> failed: Bitmaps are of different sizes (destination size is <n>, source size is <n>) and can't be merged":
    ['bitmap --merge s -b o -F qcow2 marked b0', 'qemu-img create -q -f qcow2 o 2M; qemu-img bitmap --add o s'],
  "Cannot copy inconsistent bitmap '<x>'": ['convert --bitmaps -O qcow2 marked x', broken],
  "warning: Skipping inconsistent bitmap '<x>'": ['convert --bitmaps --skip-broken-bitmaps -O qcow2 marked x', broken],
  'Failed to create bitmap <x>: Bitmap already exists: <x>': [
    'convert --bitmaps -n -O qcow2 marked x',
    'qemu-img create -q -f qcow2 x 1M; qemu-img bitmap --add x b1',
  ],
  'warning: error while reading offset <n>: <e>': `convert --salvage --image-opts ${badSector} x`,
  'error while reading from input image file: <e>': `dd --image-opts if=${badSector} of=x`,
  'Could not read file metadata: <e>': `map --image-opts ${readError('q', 'l2_load')}`,
  'Block job failed: <e>': `commit --image-opts ${readError('top', 'read_aio')}`,
  'Failed to empty <x>: <e>': `commit --image-opts ${readError('top', 'empty_image_prepare')}`,
  'error while reading from old backing file': [
    'rebase -b base -F qcow2 o',
    `qemu-img create -q -f qcow2 -u -b '${unreadable}' -F qcow2 o 1M`,
  ],
  'error while reading from new backing file': `rebase -b ${unreadable} -F qcow2 top`,
  'Error while writing to COW image: <e>': `rebase -b '' --image-opts ${readError('top', 'write_aio')}`,
  "Could not change the backing file to '<x>': No space left in the file header": [
    `rebase -u -b ${'n'.repeat(1000)} -F qcow2 o`,
    'qemu-img create -q -f qcow2 -o cluster_size=512 o 1M',
  ],
  'Check failed: <e>': [
    'check -r leaks x',
    'cp q x; dd if=/dev/zero of=x bs=1 seek=65536 count=8 conv=notrunc status=none',
  ],
  '<f>: Extended L2 entries are only supported with compatibility level 1.1 and above (use version=v3 or greater)':
    'create -f qcow2 -o compat=0.10,extended_l2=on x 1M',
  '<f>: Extended L2 entries are only supported with cluster sizes of at least 16384 bytes':
    'create -f qcow2 -o extended_l2=on,cluster_size=8k x 1M',
  '<f>: External data files are only supported with compatibility level 1.1 and above (use version=v3 or greater)':
    'create -f qcow2 -o compat=0.10,data_file=d x 1M',
  "<f>: Parameter 'version' does not accept value '2'": 'create -f qcow2 -o compat=2 x 1M',
  "<f>: Parameter 'compression-type' does not accept value '<x>'": 'create -f qcow2 -o compression_type=foo x 1M',
  '<f>: Backing file and preallocation can only be used at the same time if extended_l2 is on':
    'create -f qcow2 -o preallocation=metadata -b base -F qcow2 x',
  '<f>: Backing file and data-file-raw cannot be used at the same time':
    'create -f qcow2 -o data_file=d,data_file_raw=on -b base -F qcow2 x',
  '<f>: data-file-raw requires data-file': 'create -f qcow2 -o data_file_raw=on x 1M',
  '<f>: Could not resize image: Image size cannot be negative': 'create -f qcow2 x 9223372036854775807',
  '<f>: Could not resize image: offset(<n>) exceeds maximum(<n>)':
    'create -f qcow2 -o cluster_size=2M x 9223372036854775296',
  "<f>: Could not assign backing file '<x>' with format '<x>': Invalid argument": `create -f qcow2 -u -b ${'n'.repeat(1024)} -F raw x 1M`,
  'Image format driver does not support resize': 'resize --image-opts driver=null-co,size=1M 2M',
}
