/** Hides how fast qemu-io was, and its prompt. */

const timing = /\d+ ops; [0-9/:. sec]* \([0-9/.inf]* [EPTGMKiBbytes]*\/sec and [0-9/.inf]* ops\/sec\)/g

/**
 * `64 KiB, 1 ops; 00.01 sec (6.185 MiB/sec and 98.9550 ops/sec)` keeps its first part, the amount, only. A line that is
 * not well-formed stays as it is, and so fails the comparison.
 */
export function filterQemuIo(text: string): string {
  return text.replaceAll('qemu-io> ', '').replace(timing, 'X ops; XX:XX:XX.X (XXX YYY/sec and XXX ops/sec)')
}
