import { createAffinity, requestHead, type Affinity, type AffinityOptions } from '@limpet/core'
import { statsPage } from '@limpet/stats'
import { ask, type BackendResponse } from './http-client.ts'
import { serve } from './node-app.ts'

const SECRETS = ['a-secret-of-the-tests-0123456789abcdef']

/** A pool of backends that no request is sent to. */
export function poolOf(
  count: number,
  name = 'web',
  options: Omit<AffinityOptions, 'backends' | 'secrets'> = {},
): Affinity {
  const backends = Array.from({ length: count }, (_, index) => ({
    id: `w${index + 1}`,
    url: `http://10.0.${Math.floor(index / 250)}.${(index % 250) + 1}:8080`,
  }))
  return createAffinity({ ...options, name, backends, secrets: SECRETS })
}

/** One request of a new session, from its choice of a backend to its end. */
export async function visit(affinity: Affinity, statusCode = 200): Promise<void> {
  const message = {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    headers: { host: 'a' },
    rawHeaders: ['Host', 'a'],
    socket: {},
  }
  const lease = await affinity.select(requestHead(message))
  lease.responded({ statusCode, headers: {} })
  lease.release()
}

/** Fields of the last form of a page. */
export function fieldsOf(markup: string): Record<string, string> {
  const form = markup.slice(markup.lastIndexOf('<form'))
  const inputs = form.matchAll(/name="([^"]*)"(?: id="[^"]*")? value="([^"]*)"/g)
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, value]))
}

/** An operator at a stats page, with the headers of a browser. */
export class Operator {
  readonly #port: number
  readonly #path: string
  readonly #headers: Readonly<Record<string, string>>

  constructor(port: number, path = '/', headers: Readonly<Record<string, string>> = {}) {
    this.#port = port
    this.#path = path
    this.#headers = headers
  }

  async get(query = '', headers: Readonly<Record<string, string>> = {}): Promise<BackendResponse> {
    return ask(this.#port, { path: this.#path + query, headers: { ...this.#headers, ...headers } })
  }

  async post(
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<BackendResponse> {
    return ask(this.#port, {
      method: 'POST',
      path: this.#path,
      headers: {
        ...this.#headers,
        'Content-Type': 'application/x-www-form-urlencoded',
        Origin: `http://127.0.0.1:${this.#port}`,
        ...headers,
      },
      body: String(new URLSearchParams(fields)),
    })
  }

  /** Reads the confirmation of a change, and sends its form. */
  async change(action: string, backend: string, value = '', pool = 'web'): Promise<BackendResponse> {
    const query = new URLSearchParams({ do: action, pool, backend, value })
    return this.post(fieldsOf((await this.get(`?${query.toString()}`)).text))
  }
}

/** An operator at the stats page of a plain server. */
export async function nodeOperator(
  affinity: Affinity,
  options?: Parameters<typeof statsPage>[1],
  headers: Readonly<Record<string, string>> = {},
): Promise<Operator> {
  const page = statsPage(affinity, options)
  return new Operator(await serve((request, response) => page(request, response)), '/', headers)
}
