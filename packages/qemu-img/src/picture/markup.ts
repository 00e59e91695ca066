/** Text in SVG and HTML: names in images are other people's, and may be anything. */

import { printable } from '../printable.ts'

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** `text` for an element or an attribute in quotes: shown as it is, and nothing of it is markup. */
export function escaped(text: string, lengthMax = 300): string {
  return printable(text, lengthMax).replace(/[&<>"']/g, (character) => entities[character] ?? '')
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']

/** `1.5 GiB`. */
export function sizeText(bytes: number): string {
  let value = bytes
  let unit = 0
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toPrecision(3)} ${units[unit]}`
}

/** `12.5 %`; what is there and very little is not nothing. */
export function shareText(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return '0 %'
  const percent = (part * 100) / whole
  if (percent < 0.1) return 'under 0.1 %'
  return percent > 99.9 && part < whole ? 'over 99.9 %' : `${percent >= 100 ? 100 : percent.toFixed(1)} %`
}

/** A coordinate: short, and never a word that SVG does not know. */
export function px(value: number): string {
  return String(Math.round(value * 100) / 100)
}
