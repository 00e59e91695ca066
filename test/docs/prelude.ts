/** What an example in a docstring may take for granted, since it stands inside the thing it is about. */

/** Where names come from. */
const imports: Readonly<Record<string, string>> = {
  collectPicture: '@blocklayer/qemu-img',
  createBlockGraph: '@blocklayer/block-core',
  createFileDriver: '@blocklayer/driver-file',
  file: '@blocklayer/driver-file',
  fileDriver: '@blocklayer/driver-file',
  qcow2: '@blocklayer/driver-qcow2',
  qcow2Driver: '@blocklayer/driver-qcow2',
  rawDriver: '@blocklayer/driver-raw',
}

/** What is open already: each line may use the ones before it. */
const open: Readonly<Record<string, string>> = {
  graph:
    "await using graph = createBlockGraph({ drivers: [fileDriver, rawDriver, qcow2Driver], implicitOpen: 'allow' })",
  disk: "await using disk = await graph.open('disk.qcow2', { format: 'qcow2' })",
}

/** The source that an example stands in. */
export interface ExampleHome {
  /** Absolute path. */
  readonly path: string
  readonly exported: readonly string[]
}

/** `code`, with what it uses and does not bring itself put in front; unchanged if it imports anything. */
export function withPrelude(code: string, home: ExampleHome): string {
  if (/^import /m.test(code)) return code
  const lines: string[] = []
  let text = code
  for (const [name, line] of Object.entries(open).reverse()) {
    if (!uses(text, name) || brings(code, name)) continue
    lines.unshift(line)
    text = `${line}\n${text}`
  }
  const known = { ...Object.fromEntries(home.exported.map((name) => [name, home.path])), ...imports }
  const from = Object.entries(known).filter(([name]) => uses(text, name) && !brings(code, name))
  return [...from.map(([name, module]) => `import { ${name} } from '${module}'`), ...lines, code].join('\n')
}

/** Whether `name` occurs as a name of its own, not as a member or a key. */
function uses(code: string, name: string): boolean {
  return new RegExp(`(?<![.\\w'])${name}(?![\\w':])`).test(code)
}

function brings(code: string, name: string): boolean {
  return new RegExp(`\\b(const|let|using|function) ${name}\\b`).test(code)
}
