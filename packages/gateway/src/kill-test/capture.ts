/** Where in a response a value is. */
export type Capture =
  | { readonly from: 'header' | 'cookie' | 'json'; readonly name: string }
  | { readonly from: 'body'; readonly pattern: RegExp }

/** A response, or a message of a WebSocket, as captures and expectations see it. */
export interface Reply {
  /** 101 for a WebSocket. */
  readonly status: number
  readonly text: string
  /** @param name in any case. Returns undefined when the response has no such field. */
  header(name: string): string | undefined
  /** The value of a cookie that the session has after the response. */
  cookie(name: string): string | undefined
}

/**
 * The values that a capture finds; empty when there is none. A JSON list is each of its elements, and a pattern finds all of
 * its matches: the first group of each, or the whole match when it has no group.
 */
export function valuesOf(capture: Capture, reply: Reply): readonly string[] {
  switch (capture.from) {
    case 'header':
      return listOf(reply.header(capture.name))
    case 'cookie':
      return listOf(reply.cookie(capture.name))
    case 'json':
      return jsonValues(reply.text, capture.name)
    case 'body':
      return [...reply.text.matchAll(capture.pattern)].map(([whole, group]) => group ?? whole)
  }
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined || value === '' ? [] : [value]
}

function jsonValues(text: string, path: string): readonly string[] {
  const found = jsonAt(text, path)
  if (found === undefined || found === null) return []
  return (Array.isArray(found) ? found : [found]).map(textOf)
}

/** The value at a path, as `items[0].id`, of a text of JSON; `.` is the whole. Undefined when there is none. */
export function jsonAt(text: string, path: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  for (const key of path.match(/[^.[\]]+/g) ?? []) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = Reflect.get(value, key)
  }
  return value
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
