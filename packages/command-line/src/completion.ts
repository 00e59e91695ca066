/** Shell completion out of the table of a program's options. */

import { type ProgramOption, spellings } from './program-option.ts'

/** A shell that there is completion for. */
export type Shell = 'bash' | 'zsh' | 'fish'

/** What is completed. */
export interface CompletedProgram {
  readonly name: string
  readonly options: readonly ProgramOption[]
  /** Names of the formats there are. */
  readonly formats: readonly string[]
}

/** The shells by name. */
export const shells: readonly Shell[] = ['bash', 'zsh', 'fish']

/** What the user's shell is to read. */
export function completionScript(shell: Shell, program: CompletedProgram): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](program)
}

/** The words that an option's value may be; none: a file. */
export function valueWords({ choices, completes }: ProgramOption, formats: readonly string[]): readonly string[] {
  return choices ?? (completes === 'format' ? formats : [])
}

function bashScript({ name, options, formats }: CompletedProgram): string {
  const identifier = `_${name.replace(/\W/g, '_')}`
  const cases = options
    .filter((option) => option.value !== undefined && valueWords(option, formats).length > 0)
    .map(
      (option) =>
        `    ${spellings(option).join('|')}) COMPREPLY=($(compgen -W "${valueWords(option, formats).join(' ')}" -- "$word")); return ;;`,
    )
  return [
    `# bash completion for ${name}: source it, or put it into /usr/share/bash-completion/completions/${name}`,
    `${identifier}() {`,
    '  local word=$2',
    '  case $3 in',
    ...cases,
    '  esac',
    '  if [[ $word == -* ]]; then',
    `    COMPREPLY=($(compgen -W "${options.flatMap(spellings).join(' ')}" -- "$word"))`,
    '  else',
    '    COMPREPLY=($(compgen -f -- "$word"))',
    '  fi',
    '}',
    `complete -o filenames -F ${identifier} ${name}`,
    '',
  ].join('\n')
}

function zshScript({ name, options, formats }: CompletedProgram): string {
  const specs = zshSpecs(options, formats).map((spec) => `  ${spec} \\`)
  return [`#compdef ${name}`, '_arguments -s -S \\', ...specs, "  '*:file:_files'", ''].join('\n')
}

/** What zsh's `_arguments` takes for each spelling of each option, quoted. */
export function zshSpecs(options: readonly ProgramOption[], formats: readonly string[]): string[] {
  return options.flatMap((option) => {
    const words = valueWords(option, formats)
    const action = words.length > 0 ? `(${words.join(' ')})` : '_files'
    const value = option.value === undefined ? '' : `:${option.value.toLowerCase()}:${action}`
    return spellings(option).map((word) => `'*${word}[${zshText(option.text)}]${value}'`)
  })
}

/** Text inside an option's brackets, or behind a command's colon, between single quotes. */
export function zshText(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&').replaceAll("'", "'\\''")
}

function fishScript({ name, options, formats }: CompletedProgram): string {
  return `${fishLines(options, formats, `complete -c ${name}`).join('\n')}\n`
}

/** One line of fish for each option, which begins with `head`. */
export function fishLines(options: readonly ProgramOption[], formats: readonly string[], head: string): string[] {
  return options.map((option) => {
    const words = valueWords(option, formats)
    const letter = option.letter === undefined ? '' : ` -s ${option.letter}`
    const value = option.value === undefined ? '' : words.length > 0 ? ` -x -a '${words.join(' ')}'` : ' -r'
    const long = option.long === undefined ? '' : ` -l ${option.long}`
    return `${head}${letter}${long}${value} -d '${fishText(option.text)}'`
  })
}

/** Text between single quotes. */
export function fishText(text: string): string {
  return text.replace(/[\\']/g, '\\$&')
}
