/** Reduces the line that `create` prints to what a test asked for. */

/** Driver options, which differ from format to format and grow with every release. */
const driverOptions = [
  'adapter_type',
  'block_size',
  'cluster_size',
  'compat',
  'compat6',
  'compression_type',
  'data_file_raw',
  'encryption',
  'extended_l2',
  'hwversion',
  'lazy_refcounts',
  'log_size',
  'nocow',
  'preallocation',
  'refcount_bits',
  'static',
  'subformat',
  'table_size',
  'toolsversion',
]

const option = new RegExp(` (${driverOptions.join('|')})=('[^']*'|\\S*)`, 'g')

/** `Formatting 'a', fmt=qcow2 cluster_size=65536 … size=1048576 …` keeps name, format, size and backing file. */
export function filterImgCreate(text: string): string {
  return text
    .split('\n')
    .map((line) => (line.startsWith('Formatting ') ? line.replace(option, '') : line))
    .join('\n')
}
