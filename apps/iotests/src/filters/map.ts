/** Hides where in its file an image keeps its data. */

const heading = /^(Offset {10}Length {10})Mapped to {7}(File)$/
const row = /^(\S+ +\S+ +)(?:0|0x[0-9a-f]+) +(.*)$/

/** Drops the column "Mapped to" of human output and its heading; in JSON the number after `offset` becomes `OFFSET`. */
export function filterMap(text: string): string {
  let inTable = false
  return text
    .split('\n')
    .map((line) => {
      if (heading.test(line)) {
        inTable = true
        return line.replace(heading, '$1$2')
      }
      return inTable ? line.replace(row, '$1$2') : line.replace(/("offset": )\d+/g, '$1OFFSET')
    })
    .join('\n')
}
