import type { ClientRequest } from 'node:http'
import { editedValues, InvalidEditError, isProtected } from '@limpet/core/adapter'

/** The lines of one field. */
interface Edit {
  readonly name: string
  readonly values: readonly string[]
}

/**
 * A request to a backend before its head is written, for `on.proxyReq` and `on.proxyReqWs`. Its header can be read and
 * edited, with the methods of node:http's `ClientRequest`. Fields that frame the message or belong to the connection
 * are read-only: edits of them are ignored.
 */
export class BackendRequest {
  readonly method: string
  /** The request target, with the base path of the backend's url. */
  readonly path: string
  /** `http:` or `https:` */
  readonly protocol: string
  /** The host name or address of the backend. */
  readonly host: string
  readonly #lines: readonly string[]
  readonly #edits = new Map<string, Edit>()
  #error: Error | undefined

  /** @param lines name, value, name, value … */
  constructor({ method, path, protocol, host }: ClientRequest, lines: readonly string[]) {
    this.method = method
    this.path = path
    this.protocol = protocol
    this.host = host
    this.#lines = lines
  }

  /** The value of a field: a list where it has several lines, undefined where it has none. */
  getHeader(name: string): string | string[] | undefined {
    const values = this.#valuesOf(name.toLowerCase())
    return values.length > 1 ? [...values] : values[0]
  }

  /** All fields by their name in lower case. */
  getHeaders(): Record<string, string | string[] | undefined> {
    return Object.fromEntries(this.getHeaderNames().map(name => [name, this.getHeader(name)]))
  }

  /** The names of all fields, in lower case. */
  getHeaderNames(): string[] {
    const names = new Set(this.#lines.filter((_, index) => index % 2 === 0).map(name => name.toLowerCase()))
    for (const name of this.#edits.keys()) names.add(name)
    return [...names].filter(name => this.#valuesOf(name).length > 0)
  }

  hasHeader(name: string): boolean {
    return this.#valuesOf(name.toLowerCase()).length > 0
  }

  /**
   * Sets a field: a list makes several lines, and undefined none.
   * @throws InvalidEditError for a name or a value that cannot be sent
   */
  setHeader(name: string, value: number | string | readonly string[] | undefined): this {
    const values = editedValues(name, value, 'proxyReq')
    const lower = name.toLowerCase()
    if (!isProtected(lower)) this.#edits.set(lower, { name, values })
    return this
  }

  /**
   * Adds lines to a field.
   * @throws InvalidEditError for a name or a value that cannot be sent
   */
  appendHeader(name: string, value: number | string | readonly string[]): this {
    return this.setHeader(name, [...this.#valuesOf(name.toLowerCase()), ...([value].flat() as string[])])
  }

  removeHeader(name: string): this {
    return this.setHeader(name, undefined)
  }

  /** Not possible: limpet writes the body, also one that a parser has read. @throws Error always */
  write(): never {
    throw new Error(WRITTEN)
  }

  /** Not possible: limpet writes the body, also one that a parser has read. @throws Error always */
  end(): never {
    throw new Error(WRITTEN)
  }

  /** Ends the request when the listener returns, with an error of the application. */
  destroy(error: Error = new Error('on.proxyReq has destroyed the request')): this {
    this.#error ??= error
    return this
  }

  /**
   * The lines with the edits: those of an edited field in the place of its first line, new fields at the end.
   * @throws the error that `destroy` was given
   */
  lines(): readonly string[] {
    if (this.#error !== undefined) throw this.#error
    if (this.#edits.size === 0) return this.#lines
    const written = new Set<string>()
    const lines: string[] = []
    const write = (lower: string, { name, values }: Edit): void => {
      if (!written.has(lower)) for (const value of values) lines.push(name, value)
      written.add(lower)
    }
    for (let index = 0; index + 1 < this.#lines.length; index += 2) {
      const name = this.#lines[index] ?? ''
      const lower = name.toLowerCase()
      const edit = this.#edits.get(lower)
      if (edit === undefined) lines.push(name, this.#lines[index + 1] ?? '')
      else write(lower, edit)
    }
    for (const [lower, edit] of this.#edits) write(lower, edit)
    if (this.#edits.has('host') && this.#valuesOf('host').length === 0)
      throw new InvalidEditError('proxyReq.host', 'is removed, and a request must have it')
    return lines
  }

  #valuesOf(lower: string): readonly string[] {
    const edit = this.#edits.get(lower)
    if (edit !== undefined) return edit.values
    return this.#lines.filter(
      (_, index) => index % 2 === 1 && this.#lines[index - 1]?.toLowerCase() === lower,
    )
  }
}

const WRITTEN =
  'on.proxyReq cannot write a body: limpet writes it, also one that a parser has read; leave out fixRequestBody'
