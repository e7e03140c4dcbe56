import { durationMs } from '@limpet/core/options'
import { parseFlags } from '../cli/flags.ts'
import { UsageError } from '../cli/usage-error.ts'
import { type PresetName, PRESETS } from './presets.ts'
import { type Action, ACTIONS, type Hooks } from './scenario.ts'
import { targetProblem } from './scenario-reader.ts'
import type { ReportFormat, Settings } from './settings.ts'

const OPTIONS = {
  cart: { type: 'boolean' },
  counter: { type: 'boolean' },
  print: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  url: { type: 'string' },
  sessions: { type: 'string' },
  rate: { type: 'string' },
  drain: { type: 'string' },
  kill: { type: 'string' },
  restart: { type: 'string' },
  ready: { type: 'string' },
  backends: { type: 'string' },
  ask: { type: 'string' },
  settle: { type: 'string' },
  'give-up': { type: 'string' },
  'max-duration': { type: 'string' },
  'hook-timeout': { type: 'string' },
  'max-lost': { type: 'string' },
  'max-errors': { type: 'string' },
  'max-logged-out': { type: 'string' },
  'max-recovery': { type: 'string' },
  'i-may-test': { type: 'string' },
  json: { type: 'string' },
  junit: { type: 'string' },
  html: { type: 'string' },
  force: { type: 'boolean' },
} as const

type Values = Readonly<Record<string, string | boolean | undefined>>
const MAX_DURATION_MS = 86_400_000

/** @throws UsageError with everything that is wrong: every problem is a line */
export function parseSettings(args: readonly string[]): Settings | 'help' {
  const { values, positionals } = parseFlags(args, OPTIONS)
  if (values.help === true) return 'help'
  return new ArgumentReader(values).read(positionals)
}

class ArgumentReader {
  readonly #values: Values
  readonly #problems: string[] = []

  constructor(values: Values) {
    this.#values = values
  }

  read(positionals: readonly string[]): Settings {
    const url = this.#text('url')
    const problem = url === undefined ? undefined : targetProblem(url)
    if (problem !== undefined) this.#problems.push(`--url ${problem}`)
    const settings: Settings = {
      source: this.#source(positionals),
      print: this.#values['print'] === true,
      url,
      sessions: this.#number('sessions', 1, 10_000),
      rate: this.#number('rate', 1, 10_000),
      hooks: this.#hooks(),
      backends: this.#list('backends') ?? [],
      ask: this.#ask(),
      settleMs: this.#duration('settle', '3s'),
      giveUpMs: this.#duration('give-up', '60s'),
      maxDurationMs: this.#duration('max-duration', '10m'),
      hookTimeoutMs: this.#duration('hook-timeout', '60s'),
      budget: {
        lost: this.#number('max-lost', 0, Number.MAX_SAFE_INTEGER),
        errors: this.#number('max-errors', 0, Number.MAX_SAFE_INTEGER),
        loggedOut: this.#number('max-logged-out', 0, Number.MAX_SAFE_INTEGER),
        recoveryMs:
          this.#values['max-recovery'] === undefined ? undefined : this.#duration('max-recovery', 0),
      },
      allowedHost: this.#text('i-may-test'),
      files: this.#files(),
      force: this.#values['force'] === true,
    }
    if (this.#problems.length > 0) throw new UsageError(this.#problems.join('\n'))
    return settings
  }

  #source(positionals: readonly string[]): Settings['source'] {
    const presets = (Object.keys(PRESETS) as PresetName[]).filter(name => this.#values[name] === true)
    const [file, ...others] = positionals
    const [preset] = presets
    if (presets.length + positionals.length !== 1 || others.length > 0)
      this.#problems.push('it takes one scenario: a file, --cart or --counter')
    return preset === undefined ? { file: file ?? '' } : { preset }
  }

  #hooks(): Hooks {
    const given = ACTIONS.map(action => [action, this.#text(action)] as const)
    return Object.fromEntries(given.filter(([, command]) => command !== undefined)) as Hooks
  }

  #ask(): readonly Action[] {
    const wanted = this.#list('ask') ?? []
    for (const action of wanted)
      if (!ACTIONS.some(one => one === action))
        this.#problems.push(`--ask got "${action}"; it takes some of ${ACTIONS.join(',')}`)
    return ACTIONS.filter(action => wanted.includes(action))
  }

  #files(): Settings['files'] {
    const formats: readonly ReportFormat[] = ['json', 'junit', 'html']
    const given = formats.map(format => [format, this.#text(format)] as const)
    const files = given.flatMap(([, file]) => file ?? [])
    for (const file of new Set(files))
      if (files.indexOf(file) !== files.lastIndexOf(file))
        this.#problems.push(`${file} is the file of two reports; each takes one of its own`)
    return Object.fromEntries(given.filter(([, file]) => file !== undefined)) as Settings['files']
  }

  #text(name: string): string | undefined {
    const value = this.#values[name]
    if (value === '') this.#problems.push(`--${name} is empty`)
    return typeof value === 'string' && value !== '' ? value : undefined
  }

  #list(name: string): readonly string[] | undefined {
    return this.#text(name)
      ?.split(',')
      .map(one => one.trim())
      .filter(one => one !== '')
  }

  #number(name: string, least: number, most: number): number | undefined {
    const text = this.#text(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most)
      this.#problems.push(`--${name} got "${text}"; it takes a whole number from ${least} to ${most}`)
    return value
  }

  #duration(name: string, fallback: '3s' | '60s' | '10m' | 0): number {
    try {
      return durationMs(`--${name}`, this.#text(name), fallback, MAX_DURATION_MS)
    } catch {
      this.#problems.push(
        `--${name} got "${String(this.#values[name])}"; it takes a duration of at most 24h, such as 10s`,
      )
      return 0
    }
  }
}
