import { UsageError } from './usage-error.ts'

const PORT = /^\d{1,5}$/
const HOST_AND_PORT = /^(?:\[[0-9a-fA-F:.]+\]|[^:[\]\s/]+):\d{1,5}$/

/**
 * An address to listen on, as the file has it. `:8080` is all addresses of the machine, `8080` this machine alone.
 * @throws UsageError
 */
export function listenOf(flag: string, text: string): string {
  if (PORT.test(text)) return `127.0.0.1:${text}`
  if (text.startsWith(':') && PORT.test(text.slice(1))) return `0.0.0.0${text}`
  if (HOST_AND_PORT.test(text)) return text
  throw new UsageError(`${flag} takes an address and a port, as 127.0.0.1:8080, :8080 or 8080`)
}

/** A backend of a file. */
export interface BackendLine {
  readonly id: string
  readonly url: string
}

/**
 * Backends of a list as `127.0.0.1:3001,http://127.0.0.1:3002`, with the ids s1, s2 and so on: an id is a place in the
 * list. @throws UsageError
 */
export function backendsOf(flag: string, text: string): readonly BackendLine[] {
  const parts = text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
  if (parts.length === 0) throw new UsageError(`${flag} takes backends, as 127.0.0.1:3001,127.0.0.1:3002`)
  return parts.map((part, index) => ({ id: `s${index + 1}`, url: urlOf(flag, part) }))
}

function urlOf(flag: string, part: string): string {
  if (PORT.test(part)) return `http://127.0.0.1:${part}`
  if (part.startsWith(':') && PORT.test(part.slice(1))) return `http://127.0.0.1${part}`
  if (HOST_AND_PORT.test(part)) return `http://${part}`
  const url = URL.parse(part)
  const isPlain = url !== null && url.username === '' && url.password === ''
  if (isPlain && ['http:', 'https:', 'unix:'].includes(url.protocol)) return part
  throw new UsageError(
    `${flag} takes backends as host:port, http://host:port, https://host:port or unix:/path; one of them is none`,
  )
}
