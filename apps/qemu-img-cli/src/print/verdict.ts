/** The verdict on an image of a stranger, for people and for programs. */

import { printable, type Verdict } from '@blocklayer/qemu-img'
import { humanSize } from './human-size.ts'

/** Whether anything speaks against the image, and what. */
export function humanVerdict(filename: string, { verdict, format, virtualSize, fileSize, reasons }: Verdict): string {
  const lines = [`image: ${printable(filename, 4096)}`, `verdict: ${verdict}`]
  if (format !== undefined) lines.push(`file format: ${format}`)
  if (virtualSize !== undefined) lines.push(`virtual size: ${humanSize(virtualSize)} (${virtualSize} bytes)`)
  lines.push(`file size: ${humanSize(fileSize)} (${fileSize} bytes)`)
  if (reasons.length > 0) lines.push('reasons:', ...reasons.map(({ code, message }) => `    ${code}: ${message}`))
  return `${lines.join('\n')}\n`
}

/** The verdict as JSON members. */
export function verdictMembers(
  filename: string,
  { verdict, format, virtualSize, fileSize, reasons }: Verdict,
): Record<string, string | number | bigint | readonly Record<string, string>[]> {
  return {
    filename,
    verdict,
    ...(format === undefined ? {} : { format }),
    ...(virtualSize === undefined ? {} : { 'virtual-size': virtualSize }),
    'file-size': fileSize,
    reasons: reasons.map(({ code, message }) => ({ code, message })),
  }
}
