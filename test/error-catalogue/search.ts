/** Finds messages in files. */
import type { SourceFile } from '../tidy/files.ts'

/** Matches a message with whatever stands in the place of `%s` and `%d`, within one line. */
export function matcher(message: string): RegExp {
  const parts = message.split(/%[sd]/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(parts.join('[^\\n]{1,120}?'))
}

/** Whether one of the files holds the message as a whole; quotes may be escaped there. */
export function isIn(files: readonly SourceFile[], message: string): boolean {
  return files.some(holds(message.replaceAll('|', '')))
}

/** Whether one of the files holds all the parts from which the message is put together. */
export function isMadeIn(files: readonly SourceFile[], message: string): boolean {
  const parts = message.split('|').map(holds)
  return files.some((file) => parts.every((held) => held(file)))
}

function holds(message: string): (file: SourceFile) => boolean {
  const pattern = matcher(message)
  const longest = message.split(/%[sd]/).reduce((a, b) => (b.length > a.length ? b : a), '')
  return ({ text }) => {
    const plain = text.replaceAll('\\', '')
    // The plain search is quick, and nearly always says no.
    return plain.includes(longest) && pattern.test(plain)
  }
}
