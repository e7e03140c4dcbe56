import { existsSync } from 'node:fs'
import type { BackendFigures, Explanation, PoolFigures } from '@limpet/core'
import type { FleetDrain } from '@limpet/redis'
import { AddressError, adminOf, adminUrl, DEFAULT_ADMIN_URL, urlOption } from '../admin/admin-address.ts'
import { printable } from '../cli/printable.ts'
import type { Question } from '../explaining/question.ts'

/** A backend of `/stats.json`, as far as the commands show it. */
export type BackendRow = Omit<BackendFigures, 'responseTimes'> & {
  /** Its drain in all gateways, where they share operators' commands. */
  readonly fleet?: FleetDrain
}

export type PoolRow = Omit<PoolFigures, 'backends' | 'queueTimes' | 'durations'> & {
  readonly backends: readonly BackendRow[]
}

/** A backend by its pool and its id. */
export interface BackendName {
  readonly pool: string
  readonly id: string
}

/** A change of a backend, as PATCH takes it. */
export interface BackendChange {
  readonly state?: string
  readonly weight?: number
  readonly deadline?: string
  readonly spread?: string
}

/** The flags that name the admin port. */
interface AddressFlags {
  readonly admin?: string | undefined
  readonly config?: string | undefined
}

/** The gateway was not reached, or has refused a request. */
export class AdminRequestError extends Error {
  override readonly name = 'AdminRequestError'
  /** The status of the refusal; undefined: there was no response. */
  readonly statusCode: number | undefined
  constructor(message: string, statusCode?: number, options?: ErrorOptions) {
    super(printable(message), options)
    this.statusCode = statusCode
  }
}

const TIMEOUT_MS = 10_000
const DEFAULT_FILE = 'limpet.yaml'
const TOKEN_VARIABLE = 'LIMPET_ADMIN_TOKEN'

/** Requests to the admin port of a running gateway. */
export class AdminClient {
  readonly #url: URL
  readonly #token: string | undefined

  private constructor(url: URL, token: string | undefined) {
    this.#url = url
    this.#token = token
  }

  /**
   * The port of `--admin`, of `--config`, of limpet.yaml in the current folder, or the default one, in that order. Its
   * token is that of the environment, or of the file. A url gets none of a file: that may be another gateway's.
   * @throws AddressError
   */
  static async find(flags: AddressFlags): Promise<AdminClient> {
    const { admin, config } = flags
    const told = process.env[TOKEN_VARIABLE]
    const token = told === '' ? undefined : told
    if (admin !== undefined && config !== undefined)
      throw new AddressError('--admin and --config are both given; it takes one of them')
    const file = config ?? (admin === undefined && existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined)
    if (file === undefined) return new AdminClient(urlOption('--admin', admin ?? DEFAULT_ADMIN_URL), token)
    const found = await adminOf(file, token !== undefined)
    return new AdminClient(adminUrl(file, found, '--admin'), token ?? found?.token)
  }

  async pools(): Promise<Readonly<Record<string, PoolRow>>> {
    const { pools } = (await this.#ask('GET', '/stats.json')) as { pools?: unknown }
    if (!isObject(pools) || !Object.values(pools).every(isPoolRow)) throw this.#foreign()
    return pools as Readonly<Record<string, PoolRow>>
  }

  /** Undefined: it has left its pool. */
  async backend(name: BackendName): Promise<BackendRow | undefined> {
    try {
      return this.#rowOf(await this.#ask('GET', pathOf(name)))
    } catch (error) {
      if (error instanceof AdminRequestError && error.statusCode === 404) return undefined
      throw error
    }
  }

  /** Why a request would get its backend. */
  async explain(question: Question): Promise<Explanation> {
    const explanation = await this.#ask('POST', '/explain', question)
    if (!isExplanation(explanation)) throw this.#foreign()
    return explanation
  }

  /** @returns the backend after the change */
  async change(name: BackendName, change: BackendChange): Promise<BackendRow> {
    return this.#rowOf(await this.#ask('PATCH', pathOf(name), change))
  }

  #rowOf(content: object): BackendRow {
    if (!isBackendRow(content)) throw this.#foreign()
    return content
  }

  #foreign(): AdminRequestError {
    return new AdminRequestError(`${this.#url.origin} is no admin port of limpet`)
  }

  /** @throws AdminRequestError */
  async #ask(method: string, path: string, body?: object): Promise<object> {
    const { origin } = this.#url
    const response = await fetch(new URL(path, origin), {
      method,
      // The token is for this port alone.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new AdminRequestError(`${origin}: ${reasonOf(error)}`, undefined, { cause: error })
    })
    const content: unknown = await response.json().catch(() => undefined)
    if (response.status === 401)
      throw new AdminRequestError(
        `${origin} needs its token; set ${TOKEN_VARIABLE}, or name the file of the gateway with --config`,
        401,
      )
    if (!response.ok)
      throw new AdminRequestError(refusalOf(origin, response.status, content), response.status)
    if (!isObject(content)) throw this.#foreign()
    return content
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isPoolRow(value: unknown): value is PoolRow {
  return (
    isObject(value) &&
    'backends' in value &&
    Array.isArray(value.backends) &&
    value.backends.every(isBackendRow)
  )
}

/** As far as the commands would fail without it. */
function isBackendRow(value: unknown): value is BackendRow {
  return isObject(value) && 'id' in value && 'responses' in value && isObject(value.responses)
}

/** As far as a report would fail without it. */
function isExplanation(value: object): value is Explanation {
  const { policies, backends } = value as { readonly policies?: unknown; readonly backends?: unknown }
  return (
    isObjects(backends) && isObjects(policies) && policies.every(one => 'keys' in one && isObjects(one.keys))
  )
}

function isObjects(value: unknown): value is readonly object[] {
  return Array.isArray(value) && value.every(isObject)
}

function pathOf({ pool, id }: BackendName): string {
  return `/pools/${pool}/backends/${id}`
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error
  if (name === 'TimeoutError') return `no response within ${TIMEOUT_MS / 1000} seconds`
  return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message
}

function refusalOf(origin: string, statusCode: number, content: unknown): string {
  const { message } = (content ?? {}) as { message?: unknown }
  const text = typeof message === 'string' ? message.replaceAll('\n', ' ').slice(0, 500) : undefined
  return text ?? `${origin}: the status is ${statusCode}`
}
