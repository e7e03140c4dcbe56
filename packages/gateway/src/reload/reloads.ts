import { resolve } from 'node:path'
import type { Logger } from 'pino'
import { ConfigError, type ConfigSource, type GatewayConfig } from '../config/config.ts'
import { problemText } from '../config/problem.ts'
import { FileWatch } from './file-watch.ts'
import type { Changes } from './reload.ts'
import { ReloadRefused } from './reload-refused.ts'

/** Reads the file again. @throws ConfigError */
export type Reread = () => GatewayConfig

export interface ReloadsOptions {
  readonly log: Logger
  readonly reread: Reread
  /** Rejects when nothing has changed. */
  readonly apply: (config: GatewayConfig) => Promise<Changes>
}

/** The cause of a reload. */
type Cause = 'SIGHUP' | 'watch'

/** Reads the configuration again and applies it: at SIGHUP, and when one of its files has changed. */
export class Reloads {
  readonly #options: ReloadsOptions
  /** The last that was read without a problem. */
  #source: ConfigSource
  /** Of the file as it is, when it is refused. */
  #problems: readonly string[] = []
  #watch: FileWatch | undefined

  constructor({ source }: GatewayConfig, options: ReloadsOptions) {
    this.#source = source
    this.#options = options
  }

  /** For SIGHUP: also when no file has changed. */
  signalled(): void {
    const startedMs = performance.now()
    const config = this.#read(true)
    if (config !== undefined) this.#apply('SIGHUP', startedMs, config)
  }

  /** Watches the file, and the files that it refers to, until `close`. */
  watch(): void {
    const { log } = this.#options
    this.#watch = new FileWatch({
      known: () => contentsOf(this.#source),
      changed: () => this.#changed(),
      failed: (directory, err) =>
        log.warn({ event: 'watch_failed', directory, err }, 'its files are looked at every 5 s'),
    })
  }

  close(): void {
    this.#watch?.close()
  }

  #changed(): void {
    const startedMs = performance.now()
    const before = JSON.stringify([...contentsOf(this.#source)])
    const config = this.#read(false)
    if (config !== undefined && JSON.stringify([...contentsOf(config.source)]) !== before)
      this.#apply('watch', startedMs, config)
  }

  /**
   * The file as it is now; undefined when it is refused, and the log tells why.
   * @param isAsked whether problems that the log has told are told again
   */
  #read(isAsked: boolean): GatewayConfig | undefined {
    try {
      const config = this.#options.reread()
      this.#problems = []
      this.#source = config.source
      return config
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const problems = error.problems.map(problemText)
      if (isAsked || problems.join('\n') !== this.#problems.join('\n'))
        this.#options.log.error(
          { event: 'reload_refused', problems },
          'the file is refused, and nothing has changed',
        )
      this.#problems = problems
      return undefined
    }
  }

  #apply(by: Cause, startedMs: number, config: GatewayConfig): void {
    const { log, apply } = this.#options
    apply(config).then(
      ({ changed, needsRestart }) => {
        log.info({ event: 'reloaded', by, changed, tookMs: Math.round(performance.now() - startedMs) })
        if (needsRestart.length > 0)
          log.warn(
            { event: 'restart_needed', changed: needsRestart },
            'what is read at the start alone differs',
          )
      },
      (error: unknown) => {
        const why = error instanceof ReloadRefused ? { refusals: error.refusals } : { err: error }
        log.error({ event: 'reload_failed', by, ...why }, 'nothing has changed')
      },
    )
  }
}

const FILE = 'file:'

/** The files of a configuration and what was read of them, by absolute paths. */
function contentsOf({ file, text, kept = {} }: ConfigSource): ReadonlyMap<string, string> {
  const referred = Object.entries(kept).filter(([key]) => key.startsWith(FILE))
  return new Map([
    [resolve(file), text],
    ...referred.map(([key, value]) => [key.slice(FILE.length), value] as const),
  ])
}
