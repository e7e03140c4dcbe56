import type { StoreConfig, StoreConnection } from './config.ts'
import type { ProblemList } from './problem.ts'
import { redisPackage } from './redis-package.ts'
import type { KeptElsewhere } from './secret-ref.ts'
import type { StoreFile } from './store-options.ts'

const PATH = 'store.redis'

/** Resolves the address of a store, and lets its package check it. */
export class StoreReader {
  readonly #kept: KeptElsewhere
  readonly #problems: ProblemList
  #isIncomplete = false

  constructor(kept: KeptElsewhere, problems: ProblemList) {
    this.#kept = kept
    this.#problems = problems
  }

  read(redis: StoreFile): StoreConfig {
    const { prefix, deadline, maxEntries } = redis
    const config = { ...this.#connection(redis), prefix, deadline, maxEntries }
    // A reference that failed is a problem, or advice, already.
    if (this.#isIncomplete) return config
    try {
      // It connects when it is opened.
      redisPackage().redisStore(config)
    } catch (error) {
      if (isOptionError(error))
        for (const { option, message } of error.problems) this.#problems.add(pathOf(option, redis), message)
      else this.#problems.add(PATH, (error as Error).message)
    }
    return config
  }

  #connection({ url, cluster, sentinel, username, password, tls }: StoreFile): StoreConnection {
    const texts = (path: string, all: readonly string[]): readonly string[] =>
      all.map((one, index) => this.#text(`${path}[${index}]`, one))
    return {
      ...(url !== undefined && { url: this.#text('url', url) }),
      ...(cluster !== undefined && { url: texts('cluster', cluster) }),
      ...(sentinel !== undefined && {
        sentinel: { name: sentinel.name, nodes: texts('sentinel.nodes', sentinel.nodes) },
      }),
      ...(username !== undefined && { username: this.#text('username', username) }),
      ...(password !== undefined && { password: this.#text('password', password) }),
      ...(tls !== undefined && { tls: this.#tls(tls) }),
    }
  }

  #tls({ servername, ...files }: Exclude<StoreFile['tls'], undefined>): Record<string, string> {
    const tls: Record<string, string> = servername === undefined ? {} : { servername }
    for (const [key, name] of Object.entries(files)) {
      if (name === undefined) continue
      tls[key] = this.#known(this.#kept.fileFor(`${PATH}.tls.${key}`, this.#problems, name))
    }
    return tls
  }

  #text(option: string, reference: string): string {
    return this.#known(this.#kept.textFor(`${PATH}.${option}`, this.#problems, reference, ''))
  }

  #known(text: string): string {
    if (text === '') this.#isIncomplete = true
    return text
  }
}

/** Where the file has an option of the package. */
function pathOf(option: string, { cluster }: StoreFile): string {
  return `${PATH}.${cluster === undefined ? option : option.replace(/^url/, 'cluster')}`
}

interface OptionErrorShape {
  readonly problems: readonly { readonly option: string; readonly message: string }[]
}

/** The optional package may have brought a copy of core of its own, with another class of this name. */
function isOptionError(error: unknown): error is OptionErrorShape {
  return error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_OPTION'
}
