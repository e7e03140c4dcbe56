import type { StoreConfig } from './config.ts'
import type { ProblemList } from './problem.ts'
import { redisPackage } from './redis-package.ts'
import type { KeptElsewhere } from './secret-ref.ts'

/** Resolves the address of a store, and lets its package check it. */
export class StoreReader {
  readonly #kept: KeptElsewhere
  readonly #problems: ProblemList

  constructor(kept: KeptElsewhere, problems: ProblemList) {
    this.#kept = kept
    this.#problems = problems
  }

  read(redis: StoreConfig): StoreConfig {
    const path = 'store.redis'
    const url = this.#kept.textFor(`${path}.url`, this.#problems, redis.url, '')
    const config = { ...redis, url }
    // A reference that failed is a problem, or advice, already.
    if (url === '') return config
    try {
      // It connects when it is opened.
      redisPackage().redisStore(config)
    } catch (error) {
      if (isOptionError(error))
        for (const { option, message } of error.problems) this.#problems.add(`${path}.${option}`, message)
      else this.#problems.add(path, (error as Error).message)
    }
    return config
  }
}

interface OptionErrorShape {
  readonly problems: readonly { readonly option: string; readonly message: string }[]
}

/** The optional package may have brought a copy of core of its own, with another class of this name. */
function isOptionError(error: unknown): error is OptionErrorShape {
  return error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_OPTION'
}
