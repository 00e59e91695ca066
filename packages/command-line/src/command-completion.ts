/** Shell completion for a program with subcommands: its own options first, then those of the command. */

import { type CompletedProgram, fishLines, fishText, type Shell, valueWords, zshSpecs, zshText } from './completion.ts'
import { type ProgramOption, spellings } from './program-option.ts'

/** A subcommand. */
export interface CompletedCommand {
  readonly name: string
  /** What it does, a half sentence. */
  readonly text: string
  readonly options: readonly ProgramOption[]
  /** Beginnings of operands, like `if=`; none: operands are files. */
  readonly words?: readonly string[]
}

/** What is completed; the program's own options stand in front of the command. */
export interface CompletedCommands extends CompletedProgram {
  readonly commands: readonly CompletedCommand[]
}

/** What the user's shell is to read. */
export function commandCompletionScript(shell: Shell, program: CompletedCommands): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](program)
}

function bashScript({ name, options, formats, commands }: CompletedCommands): string {
  const identifier = `_${name.replace(/\W/g, '_')}`
  const valued = options.filter(({ value }) => value !== undefined).flatMap(spellings)
  const own = bashCase({ name: "''", options, formats, words: commands.map((command) => command.name) })
  return [
    `# bash completion for ${name}: source it, or put it into /usr/share/bash-completion/completions/${name}`,
    `${identifier}() {`,
    '  local word=$2 previous=$3 command= values= options= operands= i',
    '  # bash takes --option=value apart.',
    '  if [[ $word == = ]]; then word=',
    `  elif [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi`,
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    `    case \${COMP_WORDS[i]} in`,
    ...(valued.length > 0 ? [`      ${valued.join('|')}) ((++i)); [[ \${COMP_WORDS[i]} == = ]] && ((++i)) ;;`] : []),
    '      -*) ;;',
    `      *) command=\${COMP_WORDS[i]}; break ;;`,
    '    esac',
    '  done',
    '  case $command in',
    ...own,
    ...commands.flatMap((command) => bashCase({ ...command, formats })),
    '  esac',
    '  if [[ -n $values ]]; then COMPREPLY=($(compgen -W "$values" -- "$word"))',
    '  elif [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word"))',
    '  elif [[ -n $operands && $word != *=* ]]; then',
    '    COMPREPLY=($(compgen -W "$operands" -- "$word"))',
    '    [[ $operands == *=* ]] && compopt -o nospace 2> /dev/null',
    `  else COMPREPLY=($(compgen -f -- "\${word#*=}")); fi`,
    '  return 0',
    '}',
    `complete -o filenames -F ${identifier} ${name}`,
    '',
  ].join('\n')
}

/** One command's branch: what the value of the option before may be, and the words there are. */
function bashCase({
  name,
  options,
  formats,
  words = [],
}: Omit<CompletedCommand, 'text'> & { readonly formats: readonly string[] }): string[] {
  const values = options
    .filter((option) => option.value !== undefined && valueWords(option, formats).length > 0)
    .map((option) => `        ${spellings(option).join('|')}) values='${valueWords(option, formats).join(' ')}' ;;`)
  const operands = words.length > 0 ? ` operands='${words.join(' ')}'` : ''
  return [
    `    ${name})`,
    ...(values.length > 0 ? ['      case $previous in', ...values, '      esac'] : []),
    `      options='${options.flatMap(spellings).join(' ')}'${operands} ;;`,
  ]
}

function zshScript({ name, options, formats, commands }: CompletedCommands): string {
  const described = commands.map((command) => `    '${command.name}:${zshText(command.text)}'`)
  const branches = commands.flatMap(({ name: command, options: own, words = [] }) => [
    `    ${command})`,
    '      _arguments -s -S \\',
    ...zshSpecs(own, formats).map((spec) => `        ${spec} \\`),
    `        ${words.length > 0 ? `'*:operand:_values -S "" operand ${words.join(' ')}'` : "'*:file:_files'"} ;;`,
  ])
  return [
    `#compdef ${name}`,
    'local state line curcontext=$curcontext',
    'local -A opt_args',
    '_arguments -C -s -S \\',
    ...zshSpecs(options, formats).map((spec) => `  ${spec} \\`),
    "  '1:command:->command' \\",
    "  '*::argument:->argument'",
    'if [[ $state == command ]]; then',
    '  local -a commands=(',
    ...described,
    '  )',
    '  _describe command commands',
    'elif [[ $state == argument ]]; then',
    '  case $words[1] in',
    ...branches,
    '  esac',
    'fi',
    '',
  ].join('\n')
}

function fishScript({ name, options, formats, commands }: CompletedCommands): string {
  const head = `complete -c ${name}`
  const first = `${head} -n __fish_use_subcommand`
  return [
    ...fishLines(options, formats, first),
    ...commands.map((command) => `${first} -f -a ${command.name} -d '${fishText(command.text)}'`),
    ...commands.flatMap(({ name: command, options: own, words = [] }) => {
      const within = `${head} -n '__fish_seen_subcommand_from ${command}'`
      return [...fishLines(own, formats, within), ...(words.length > 0 ? [`${within} -a '${words.join(' ')}'`] : [])]
    }),
    '',
  ].join('\n')
}
