/**
 * Refusals and warnings of the specification that a table's command line shows: section by section, the message behind the
 * program's name, and the line. `<x>` stands for any text.
 */

/** A command line of a table, alone or with what is done before it. */
export type Example = string | readonly [line: string, prepare: string]

/** Sections of spec/qemu-img.md. */
export const shown: Readonly<Record<string, Readonly<Record<string, Example>>>> = {
  '1 top level': {
    'Not enough arguments': 'resize',
    'Command not found: <x>': 'amend, progress',
    "unrecognized option '<x>'": '-o',
    "missing argument for option '<x>'": '-T',
  },
  '2 options': {
    'Invalid option list: <x>': 'convert -o , q x',
    "Invalid parameter '<x>'": 'amend -o foo=1 q',
  },
  '3 sizes': {
    'Invalid image size specified. You may use k, M, G, T, P or E suffixes for': "create x ''",
    'kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.': "create x ''",
    'Invalid image size specified. Must be between <n> and <n>.': 'create x 8E',
    'Invalid rate limit specified. You may use k, M, G, T, P or E suffixes for': 'commit -r -1 top',
    'Invalid buffer size for sparse output specified. You may use k, M, G, T, P or E suffixes for': 'convert -S -1 q x',
    'Invalid start offset specified. You may use k, M, G, T, P or E suffixes for': 'map -s -1 q',
    'Invalid max length specified. You may use k, M, G, T, P or E suffixes for': 'map -l 1.5 q',
    'Invalid granularity specified. You may use k, M, G, T, P or E suffixes for': 'bitmap -g foo --add q b',
    'Invalid offset specified. You may use k, M, G, T, P or E suffixes for': 'bench -o x q',
    'Invalid buffer size specified. You may use k, M, G, T, P or E suffixes for': 'bench -s x q',
    'Invalid step_size specified. You may use k, M, G, T, P or E suffixes for': 'bench -S x q',
    'Invalid bs specified. You may use k, M, G, T, P or E suffixes for': 'dd bs= if=q of=x',
    'Invalid count specified. You may use k, M, G, T, P or E suffixes for': 'dd count=x if=q of=x',
    'Invalid skip specified. You may use k, M, G, T, P or E suffixes for': 'dd skip=x if=q of=x',
    'Invalid bs specified. Must be between <n> and <n>.': 'dd bs=0 if=q of=x',
    'Invalid buffer size specified. Must be between <n> and <n>.': 'bench -s 3G q',
    'Invalid step_size specified. Must be between <n> and <n>.': 'bench -S 3G q',
    "<f>Parameter '<x>' expects a non-negative number below 2^64": 'create -f qcow2 -o cluster_size=foo x 1M',
    "<f>Parameter '<x>' expects 'on' or 'off'": 'create -f qcow2 -o nocow=foo x 1M',
    'warning: Using a multiplier suffix on hex numbers is deprecated: <x>': 'resize q 0x800k',
  },
  '4 opening': {
    "Could not open '<f>': Could not open '<f>': No such file or directory": 'commit o',
    "Could not open '<f>': Could not open backing file: Could not open '<f>': No such file or directory": 'map orphan',
    "Could not open '<f>': Unknown driver '<x>'": 'map -f foo q',
    "Unknown file format '<x>'": 'measure -O foo q',
    '--output must be used with human or json as argument.': 'map --output=foo q',
  },
  '6 shared': {
    '--image-opts and --format are mutually exclusive': 'bench -f raw --image-opts r',
    "Could not open '<f>': Cannot find device='<x>' nor node-name='<x>'": 'info --image-opts q',
    "Could not open '<f>': force-share=on can only be used with read-only images": 'snapshot -U q',
    '--force-share/-U conflicts with image options': 'map -U --image-opts driver=raw,file.filename=r,force-share=off',
    'Invalid cache option: <x>': 'commit -t foo top',
    'Invalid source cache option: <x>': 'check -T foo q',
    'Invalid cache mode': "bench -t '' q",
    "Parameter 'qom-type' does not accept value '<x>'": 'info --object foo r',
    "Parameter 'qom-type' is missing": 'info --object {} r',
    "Parameter 'id' is missing": 'info --object secret r',
    "Parameter 'id' expects an identifier": 'info --object secret,id=1x r',
    "Either 'file' or 'data' must be provided": 'info --object secret,id=s r',
    "Parameter '<x>' is unexpected": 'info --object secret,id=s,data=a,foo=1 r',
    "attempt to add duplicate property '<x>' to object (type 'container')":
      'info --object secret,id=s,data=a --object secret,id=s,data=a r',
    'Could not open \'<f>\': Failed to get shared "write" lock': 'bitmap --merge b0 -b marked marked b0',
  },
  '9 amend': {
    'Must specify options (-o)': 'amend',
    'Expecting one image file name': 'map',
    "Format driver '<x>' does not support option amendment": 'amend -o help r',
    'Unknown compatibility level <x>': 'amend -o compat=foo q',
    'compat=0.10 requires refcount_bits=16': [
      'amend -o compat=v2 narrow',
      'qemu-img create -q -f qcow2 -o refcount_bits=1 narrow 1M',
    ],
    'Refcount width must be a power of two and may not exceed 64 bits': 'amend -o refcount_bits=7 q',
    'Refcount widths other than 16 bits require compatibility level 1.1 or above (use compat=1.1 or greater)':
      'amend -o refcount_bits=8 v2',
    'Lazy refcounts only supported with compatibility level 1.1 and above (use compat=1.1 or greater)':
      'amend -o lazy_refcounts=on v2',
    'Cannot amend the backing file': 'amend -o backing_file=x q',
    'data-file can only be set for images that use an external data file': 'amend -o data_file=foo q',
    'data-file-raw cannot be set on existing images': 'amend -o data_file_raw=on q',
  },
  '10 bench': {
    'Invalid request count specified': 'bench -c x q',
    'Invalid queue depth specified': 'bench -d x q',
    'Invalid pattern byte specified': 'bench --pattern x q',
    'Invalid flush interval specified': 'bench --flush-interval x q',
    'Invalid aio option: <x>': 'bench -i foo q',
    '--flush-interval is only available in write tests': 'bench --flush-interval 3 q',
    "Flush interval can't be smaller than depth": 'bench -w --flush-interval 3 q',
    'Failed request: <e>': 'bench -o 2M -c 1 q',
    "Could not open '<f>': aio=native was specified, but it requires cache.direct=on, which was not specified.":
      'bench -n q',
  },
  '11 bitmap': {
    'Need at least one of --add, --remove, --clear, --enable, --disable, or --merge': 'bitmap',
    'granularity only supported with --add': 'bitmap --remove -g 4k q b',
    '-F only supported with -b': 'bitmap --add -F qcow2 q b',
    'Merge bitmap source file only supported with --merge': 'bitmap --add -b q q b',
    'Expecting filename and bitmap name': 'bitmap --add',
    'Operation add on bitmap <x> failed: Bitmap already exists: <x>': 'bitmap --add --add q b',
    "Operation <x> on bitmap <x> failed: Dirty bitmap '<x>' not found": 'bitmap --clear q nope',
    'Operation add on bitmap <x> failed: Granularity must be power of 2 and at least 512': 'bitmap -g 4G --add q b',
    "Operation add on bitmap <x> failed: Can't store persistent bitmaps to <x>": 'bitmap --add r b',
    "Operation add on bitmap <x> failed: Can't make bitmap '<x>' persistent in '<x>': Cannot store dirty bitmaps in qcow2 v2 files":
      'bitmap --add v2 b',
  },
  '12 check': {
    "Unknown option value for -r (expecting 'leaks' or 'all'): <x>": 'check -rfoo q',
    'This image format does not support checks': 'check r',
  },
  '13 commit': {
    "Did not find '<x>' in the backing chain of '<f>'": 'commit -b zz top',
    'Image does not have a backing file': 'commit r',
  },
  '14 compare': {
    'Sector allocation test failed for <f>':
      'compare --image-opts driver=qcow2,file.driver=blkdebug,file.image.filename=q,file.inject-error.0.event=l2_load driver=raw,file.filename=r',
    'Expecting two image file names': 'compare',
    'Error while reading offset <n> of <f>: <e>':
      'compare --image-opts driver=qcow2,file.driver=blkdebug,file.image.filename=q,file.inject-error.0.event=read_aio driver=raw,file.filename=r',
  },
  '15 convert': {
    "Failed in parsing snapshot param '<x>'": 'measure -l snapshot. q',
    'Invalid buffer size for sparse output specified. Valid sizes are multiples of 512 up to 16777216. Select 0 to disable sparse detection (fully allocates output).':
      'convert -S 100 q x',
    'Invalid number of coroutines. Allowed number of coroutines is between 1 and 16': 'convert -m 0 q x',
    'Use of --skip-broken-bitmaps requires --bitmaps': 'convert --sk q x',
    'Cannot enable copy offloading when -c is used': 'convert -C -c q x',
    'Cannot enable copy offloading when -S is used': 'convert -C -S 4k q x',
    'Cannot use copy offloading in salvaging mode': 'convert -C --salvage q x',
    '--target-image-opts requires use of -n flag': 'convert --target-image-opts q x',
    '-o has no effect when skipping image creation': 'convert -n -o cluster_size=4k q r',
    '--target-is-zero requires use of -n flag': 'convert --target-is q x',
    'Must specify image file name': 'convert',
    'No support for concatenating multiple snapshot': 'convert -l s q q x',
    "Failed to load snapshot: Can't find snapshot": 'convert -l s q x',
    "Failed to load snapshot: Block format 'raw' used by device '' does not support temporarily loading internal snapshots":
      'measure -l s r',
    "Unknown protocol '<x>'": 'convert q foo:x',
    "Format driver '<x>' does not support image creation": 'convert -O blkdebug q x',
    "Backing file not supported for file format '<x>'": 'convert -B base -O raw q x',
    "Backing file format not supported for file format '<x>'": 'convert -F qcow2 -O raw q x',
    'Cannot use --target-is-zero when the destination image has a backing file':
      'convert --target-is-zero -n -B base q r2',
    'Having a backing file for the target makes no sense when concatenating multiple input images':
      'convert -B base -F qcow2 -O qcow2 q q x',
    'Use of backing file requires explicit backing format': 'convert -B base -O qcow2 q x',
    'Compression not supported for this file format': 'convert -c -O raw q x',
    'Compression and preallocation not supported at the same time': 'convert -c -O qcow2 -o preallocation=full q x',
    'Copying bitmaps only possible with single source': 'convert --bitmaps q q x',
    'Source lacks bitmap support': 'convert --bitmaps r x',
    '<f>: error while converting <x>: <e>': 'convert q sub',
    "Format driver 'raw' does not support bitmaps": 'convert --bitmaps marked x',
    'output file is smaller than input file': 'convert -n -O raw r2 r',
    'error while reading block status at offset <n>: <e>':
      'convert --image-opts driver=qcow2,file.driver=blkdebug,file.image.filename=q,file.inject-error.0.event=l2_load x',
    'error while reading at byte <n>: <e>':
      'convert -m 1 --image-opts driver=qcow2,file.driver=blkdebug,file.image.filename=q,file.inject-error.0.event=read_aio x',
    'error while writing at byte <n>: <e>':
      'convert -n --target-image-opts q driver=raw,file.driver=blkdebug,file.image.filename=r2,file.inject-error.0.event=write_aio,file.inject-error.0.errno=28',
  },
  '16 create': {
    'Expecting image file name': 'create',
    'Unexpected argument: <x>': 'create -f qcow2 x 1M extra',
    '<f>: The image size must be specified only once': 'create x 1M -o size=2M',
    '<f>: Error: Trying to create an image with the same filename as the backing file': 'create -f qcow2 -b x x',
    '<f>: Expected backing file name, got empty string': "create -f qcow2 -b '' x",
    "<f>: Could not open '<f>': No such file or directory": 'commit o',
    '<f>: Backing file specified without backing format': 'create -f qcow2 -b r x',
    '<f>: Image creation needs a size parameter': 'create x',
    "<f>: Unknown driver '<x>'": 'map -f foo q',
    '<f>: Cluster size must be a power of two between 512 and 2048k': 'create -f qcow2 -o cluster_size=4M x 1M',
    '<f>: Refcount width must be a power of two and may not exceed 64 bits': 'create -f qcow2 -o refcount_bits=7 x 1M',
    '<f>: Different refcount widths than 16 bits require compatibility level 1.1 or above (use version=v3 or greater)':
      'create -f qcow2 -o compat=0.10,refcount_bits=8 x 1M',
    '<f>: Lazy refcounts only supported with compatibility level 1.1 and above (use version=v3 or greater)':
      'create -f qcow2 -o compat=0.10,lazy_refcounts=on x 1M',
    '<f>: Non-zlib compression type is only supported with compatibility level 1.1 and above (use version=v3 or greater)':
      'create -f qcow2 -o compression_type=zstd,compat=0.10 x 1M',
    "<f>: Parameter 'preallocation' does not accept value '<x>'": 'create -f qcow2 -o preallocation=foo x 1M',
    '<f>: Backing format cannot be used without backing file': 'convert -F qcow2 -O qcow2 q x',
    "<f>: The image size is too large for file format 'qcow2' (try using a larger cluster size)":
      'create -f qcow2 x 1E',
    "<f>: Could not create '<f>': No such file or directory": 'dd if=q of=',
    "<f>: Could not create '<f>': Is a directory": 'dd if=q of=.',
    '<f>: Failed to get "write" lock': 'dd if=q of=q',
  },
  '17 dd': {
    'unrecognized operand <x>': 'dd if q of=x',
    'Must specify both input and output files': 'dd',
    'Unknown file format': 'dd -O foo if=q of=x',
    '<f>: error while creating output image: <e>': 'dd if=q of=.',
    '<f>: cannot skip to specified offset': 'dd skip=4000 if=q of=x',
  },
  '18 info': {
    "Could not determine absolute backing filename, but backing filename '<x>' present":
      'info --backing-chain json:{"driver":"qcow2","file":{"driver":"quorum","children":[{"driver":"file","filename":"top"}],"vote-threshold":1}}',
    "Could not open '<f>': Block format 'qcow2' does not support the option '<x>'":
      'info --image-opts driver=qcow2,file.filename=q,foo=1',
    "Backing file '<f>' creates an infinite loop.": 'info --backing-chain loop1',
    "Could not open '<f>': 'file' driver requires '<f>' to be a regular file": 'map .',
    "Could not open '': The 'file' block driver requires a file name": "info ''",
    "Could not open '<f>': Image is not in qcow2 format": 'info -f qcow2 r',
  },
  '19 map': {
    'File contains external, encrypted or compressed clusters.': 'map compressed',
  },
  '20 measure': {
    'At most one filename argument is allowed.': 'measure q q',
    '--image-opts, -f, and -l require a filename argument.': 'measure --size 1M --i',
    '--size N cannot be used together with a filename.': 'measure --size 1M q',
    'Either --size N or one filename must be specified.': 'measure',
    "Invalid options for file format '<x>'": 'measure -O qcow2 -o help --size 1M',
    "Block driver '<x>' does not support size measurement": 'measure -O file --size 1M',
    'The image size is too large (try using a larger cluster size)': 'measure -O qcow2 --size 7E',
  },
  '21 snapshot': {
    "Cannot mix '-l', '-a', '-c', '-d'": 'snapshot -l -l q',
    "Could not create snapshot '<x>': -95 (Operation not supported)": 'snapshot -c s r',
    "Could not apply snapshot '<x>': Failed to load snapshot: No such file or directory": 'snapshot -a s q',
    "Could not apply snapshot '<x>': Block driver does not support snapshots": 'snapshot -a s r',
    "Could not delete snapshot '<x>': snapshot not found": 'snapshot -d s r',
  },
  '22 rebase': {
    'Could not resolve backing filename: <e>':
      'rebase --image-opts -b base -F qcow2 driver=copy-on-read,file.driver=qcow2,file.file.filename=top',
    'Must specify backing file (-b) or use unsafe mode (-u)': 'rebase top',
    "Invalid format name: '<x>'": 'rebase -b base -F bogus top',
    "Could not open new backing file '<x>': <e>": 'rebase -b . -F raw top',
    "Could not change the backing file to '<x>': backing format must be specified": 'rebase -b q top',
    "Could not change the backing file to '<x>': Operation not supported": "rebase -f raw -b '' r",
  },
  '23 resize': {
    "Invalid preallocation mode '<x>'": 'resize --preallocation= q 2M',
    'Expecting image file name and size': 'resize q q 2M',
    'New image size must be positive': 'resize q 0',
    'Preallocation can only be used for growing images': 'resize --preallocation=full q 1M',
    'Use the --shrink option to perform a shrink operation.': 'resize q -1',
    'The new size must be a multiple of 512': 'resize q 1048577',
    "Can't resize a v2 image which has snapshots": [
      'resize old 2M',
      'qemu-img create -q -f qcow2 -o compat=0.10 old 1M; qemu-img snapshot -c s old',
    ],
    'Failed to grow the L1 table: File too large': 'resize q 3P',
    'Unsupported preallocation mode: metadata': 'resize --preallocation=metadata -f raw r 2M',
  },
}
