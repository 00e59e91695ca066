/** What a file looks like to the programs that guess: every format that one of them would take it for. */

/** Bytes from the beginning that are looked at: up to the volume descriptors of an ISO 9660 image. */
export const signatureHeadBytes: number = 36 * 1024

/** Bytes from the end that are looked at: footers. */
export const signatureTailBytes = 512

interface Signature {
  readonly format: string
  /** Bytes from the beginning; negative: from the end. */
  readonly at: number
  /** Text of bytes, one character each. */
  readonly text: string
}

/** Formats whose images may be taken for disks. A tail counts only where the head says nothing. */
const signatures: readonly Signature[] = [
  { format: 'qed', at: 0, text: 'QED\0' },
  { format: 'vmdk', at: 0, text: 'KDMV' },
  { format: 'vmdk', at: 0, text: 'COWD' },
  { format: 'vhdx', at: 0, text: 'vhdxfile' },
  { format: 'vpc', at: 0, text: 'conectix' },
  { format: 'vpc', at: -512, text: 'conectix' },
  { format: 'vdi', at: 64, text: '\x7f\x10\xda\xbe' },
  { format: 'luks', at: 0, text: 'LUKS\xba\xbe' },
  { format: 'parallels', at: 0, text: 'WithoutFreeSpace' },
  { format: 'parallels', at: 0, text: 'WithouFreSpacExt' },
  { format: 'bochs', at: 0, text: 'Bochs Virtual HD Image' },
  { format: 'cloop', at: 0, text: '#!/bin/sh\n#V2.0 Format' },
  { format: 'dmg', at: -512, text: 'koly' },
]

/** What a raw disk, and only that, looks like: inside a format's header it is a disguise. */
const contents: readonly Signature[] = [
  { format: 'iso', at: 0x8001, text: 'CD001' },
  { format: 'iso', at: 0x8001, text: 'BEA01' },
  { format: 'gpt', at: 512, text: 'EFI PART' },
  { format: 'gpt', at: 4096, text: 'EFI PART' },
]

/** What a file looks like. */
export interface Looks {
  /** Image formats, without doubles; none for a raw disk. */
  readonly images: readonly string[]
  /** What is on it if it is a raw disk. */
  readonly contents: readonly string[]
}

/**
 * Compares with all signatures.
 *
 * @param head - the file's first `signatureHeadBytes` bytes, or all of it
 * @param tail - its last `signatureTailBytes` bytes
 */
export function looksLike(head: Uint8Array, tail: Uint8Array): Looks {
  const matches = (list: readonly Signature[]): string[] => [
    ...new Set(list.filter((signature) => isThere(signature, head, tail)).map(({ format }) => format)),
  ]
  const atHead = matches(signatures.filter(({ at }) => at >= 0))
  const qcow = qcowVersion(head)
  if (qcow !== undefined) atHead.push(qcow)
  if (isVmdkDescriptor(head) && !atHead.includes('vmdk')) atHead.push('vmdk')
  const images = atHead.length > 0 ? atHead : matches(signatures.filter(({ at }) => at < 0))
  return { images, contents: matches(contents) }
}

function isThere({ at, text }: Signature, head: Uint8Array, tail: Uint8Array): boolean {
  const bytes = at < 0 ? tail : head
  const start = at < 0 ? bytes.length + at : at
  if (start < 0 || start + text.length > bytes.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false
  return true
}

/** The first version of the format is a format of its own. */
function qcowVersion(head: Uint8Array): string | undefined {
  if (!isThere({ format: 'qcow2', at: 0, text: 'QFI\xfb' }, head, head)) return undefined
  return isThere({ format: 'qcow', at: 4, text: '\0\0\0\x01' }, head, head) ? 'qcow' : 'qcow2'
}

/**
 * Whether it begins like a text that describes a VMDK image: `# Disk DescriptorFile`, or, as some take it, a version behind
 * any comments and empty lines.
 */
function isVmdkDescriptor(head: Uint8Array): boolean {
  const title = '# Disk DescriptorFile'
  if (isThere({ format: 'vmdk', at: 0, text: title }, head, head)) return true
  for (let at = 0; at < head.length; ) {
    while (head[at] === blank || head[at] === tab || head[at] === carriageReturn) at++
    if (head[at] === numberSign) {
      const end = head.indexOf(newline, at)
      if (end < 0) return false
      at = end
    }
    if (head[at] !== newline) return isThere({ format: 'vmdk', at, text: 'version=' }, head, head)
    at++
  }
  return false
}

const [tab, newline, carriageReturn, blank, numberSign] = [0x09, 0x0a, 0x0d, 0x20, 0x23]
