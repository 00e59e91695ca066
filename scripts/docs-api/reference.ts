/** Runs typedoc over the doors, and gives what it has to say against them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Application, Logger, LogLevel, type TypeDocOptions } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'
import { root } from '../lib/workspace.ts'
import type { Door } from './doors.ts'

/** What must have a docstring: whatever a user can name, but not each member of a type that says it all. */
const requiredToBeDocumented: NonNullable<TypeDocOptions['requiredToBeDocumented']> = [
  'Class',
  'Enum',
  'Function',
  'Interface',
  'TypeAlias',
  'Variable',
]

/** Keeps what must be mended, and passes over the rest. */
class Collector extends Logger {
  readonly #problems: string[]

  constructor(problems: string[]) {
    super()
    this.#problems = problems
  }

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.#problems.push(message)
  }
}

/**
 * Writes the reference into `folder`.
 *
 * @returns typedoc's warnings and errors, one line each; none where all is well
 */
export async function writeReference(
  doors: readonly Door[],
  folder: string,
  tsconfig: string = join(root, 'scripts/docs-api/tsconfig.json'),
): Promise<string[]> {
  const options: TypeDocOptions & Partial<PluginOptions> = {
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: doors.map(({ source }) => join(root, source)),
    tsconfig,
    out: folder,
    name: 'Blocklayer',
    readme: 'none',
    validation: { notExported: false, invalidLink: true, invalidPath: true, notDocumented: true },
    requiredToBeDocumented,
    // The compiler has its own step.
    skipErrorChecking: true,
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    githubPages: false,
    cleanOutputDir: true,
    hideBreadcrumbs: true,
  }
  const app = await Application.bootstrapWithPlugins(options as TypeDocOptions)
  const problems: string[] = []
  app.logger = new Collector(problems)
  const project = await app.convert()
  if (project === undefined) return problems.length > 0 ? problems : ['typedoc could not read the sources']
  const names = new Map(doors.map(({ name, source }) => [moduleName(source), name]))
  for (const module of project.children ?? []) module.name = names.get(module.name) ?? module.name
  app.validate(project)
  await app.generateOutputs(project)
  if (!existsSync(folder)) problems.push(`nothing was written into ${folder}`)
  return problems
}

/** What typedoc calls the module of a source: its path below the folder that all sources share. */
function moduleName(source: string): string {
  return source.replace(/^packages\//, '').replace(/(\/index)?\.ts$/, '')
}
