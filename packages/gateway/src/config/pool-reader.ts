import { createHash } from 'node:crypto'
import { type DiscoverySource, OptionError } from '@limpet/core'
import type { OptionProblem } from '@limpet/core/options'
import { parseHttpProxyOptions } from '@limpet/http-proxy/transport'
import type { KubernetesOptions } from '@limpet/kubernetes'
import type { PoolConfig } from './config.ts'
import { kubernetesSource } from './kubernetes-discovery.ts'
import { ADAPTER_OPTIONS, type PoolFile } from './pool-file.ts'
import { poolOptions } from './pool-options.ts'
import type { ProblemList } from './problem.ts'
import type { KeptElsewhere } from './secret-ref.ts'

/** The parts of a file that all its pools share, read. */
export interface SharedOptions {
  readonly secrets: readonly string[]
  readonly trustProxy: readonly string[]
  /** Whether learned sessions are in a store that processes share. */
  readonly hasStore: boolean
}

/** In the place of one that cannot be made, so that the rest of the file can be checked. */
const NO_SOURCE: DiscoverySource = { name: '', subscribe: () => ({ close: () => undefined }) }

/** Makes the options of an adapter for the pools of a file. */
export class PoolReader {
  readonly #kept: KeptElsewhere
  readonly #problems: ProblemList
  readonly #shared: SharedOptions

  constructor(kept: KeptElsewhere, problems: ProblemList, shared: SharedOptions) {
    this.#kept = kept
    this.#problems = problems
    this.#shared = shared
  }

  read(name: string, file: PoolFile): PoolConfig {
    const path = `pools.${name}`
    const { secrets, trustProxy, hasStore } = this.#shared
    for (const [index, policy] of (file.affinity ?? []).entries()) {
      if (!('learn' in policy)) continue
      if (hasStore && policy.learn.maxEntries !== undefined)
        this.#problems.add(
          `${path}.affinity[${index}].learn.maxEntries`,
          'is for sessions without a store; it takes store.redis.maxEntries',
        )
    }
    const options = poolOptions(name, file, {
      secrets,
      trustProxy,
      read: (at, text, how) =>
        how === 'file'
          ? this.#kept.fileFor(`${path}.${at}`, this.#problems, text)
          : this.#kept.textFor(`${path}.${at}`, this.#problems, text),
      kubernetes: service => this.#kubernetes(`${path}.discovery.kubernetes`, service),
    })
    // The problems that core and the adapters find, before anything is started.
    for (const { option, message } of optionProblems(options)) {
      // Options that all pools share are reported at the file's level.
      const isShared = /^(?:secrets|trustProxy)/.test(option)
      this.#problems.add(isShared ? option : joined(path, option), message)
    }
    return { name, options, signature: signatureOf(options, file) }
  }

  #kubernetes(path: string, { kubeconfig, ...rest }: KubernetesOptions): DiscoverySource {
    const file = kubeconfig === undefined ? {} : { kubeconfig: this.#kept.pathOf(kubeconfig) }
    try {
      return kubernetesSource({ ...rest, ...file })
    } catch (error) {
      if (isOptionError(error))
        for (const { option, message } of error.problems) this.#problems.add(joined(path, option), message)
      else this.#problems.add(path, (error as Error).message)
      return NO_SOURCE
    }
  }
}

function optionProblems(options: PoolConfig['options']): readonly OptionProblem[] {
  try {
    parseHttpProxyOptions(options, ADAPTER_OPTIONS)
    return []
  } catch (error) {
    if (error instanceof OptionError) return error.problems
    throw error
  }
}

function joined(path: string, option: string): string {
  return option === '' ? path : `${path}.${option}`
}

/** The optional package may have brought a copy of core of its own, with another class of this name. */
function isOptionError(error: unknown): error is OptionError {
  return error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_OPTION'
}

/** Policies are functions, so the file stands for them. */
function signatureOf(options: PoolConfig['options'], file: PoolFile): string {
  return createHash('sha256')
    .update(JSON.stringify([options, file], withoutBackends))
    .digest('hex')
}

function withoutBackends(key: string, value: unknown): unknown {
  return key === 'backends' ? undefined : value
}
