/** Takes out of an output what no two runs have in common: times, and the numbers of nodes without a name. */

/** As QEMU's own tests filter it; what the filter leaves must be equal to the letter. */
export function maskTiming(text: string): string {
  return text
    .replace(
      /[0-9]* ops; [0-9/:. sec]* \([0-9/.inf]* [EPTGMKiBbytes]*\/sec and [0-9/.inf]* ops\/sec\)/g,
      'X ops; XX:XX:XX.X (XXX YYY/sec and XXX ops/sec)',
    )
    .replace(/^(\d+),(\d+),\d+:\d\d:\d\d\.\d\d,[\d.inf]+,[\d.inf]+$/gm, '$1,$2,TIME,RATE,RATE')
    .replace(/#block\d+/g, '#block')
}

/** Lines in the order of the alphabet, for requests that may end in any order. */
export function sortLines(text: string): string {
  return text.split('\n').sort().join('\n')
}
