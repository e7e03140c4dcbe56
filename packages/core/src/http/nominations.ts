import type { HeaderFields } from './heads.ts'
import { nominatedFields } from './hop-by-hop.ts'

/** The getters of marked fields. */
const MARKS = new WeakSet<object>()

/** Headers that were marked: several pools may have one server, and a later mark would not be before the application. */
const MARKED = new WeakSet<object>()

/** A longer Connection is no honest client's, and its names would cost time: they are ignored. */
const MAX_LENGTH = 256

const NONE: ReadonlySet<string> = new Set()

/**
 * Marks the fields that the client's Connection nominates, for {@link clientNominations} to find those that the
 * application has left alone. A marked field is read and written as any other; writing it, also with the same value,
 * removes its mark. Nearly every message has nothing to mark.
 * @param headers of Node's message, before the application has seen them
 */
export function markNominations(headers: HeaderFields): void {
  const nominated = boundedNominations(headers['connection'])
  if (nominated.size === 0 || MARKED.has(headers)) return
  MARKED.add(headers)
  for (const name of nominated) {
    if (Object.hasOwn(headers, name)) mark(headers, name, headers[name])
  }
}

function mark(headers: HeaderFields, name: string, value: HeaderFields[string]): void {
  const get = (): HeaderFields[string] => value
  MARKS.add(get)
  Object.defineProperty(headers, name, {
    get,
    // An object that inherits from `headers` gets a field of its own, as by any assignment.
    set(this: HeaderFields, next: HeaderFields[string]) {
      Object.defineProperty(this, name, {
        value: next,
        writable: true,
        enumerable: true,
        configurable: true,
      })
    },
    enumerable: true,
    configurable: true,
  })
}

/**
 * The fields that the client's Connection removes: nominated, and provably not the application's. A field without a
 * mark may have been set to the client's own value, and a client must not remove it.
 * @param connection the client's
 * @param headers as the application has left them
 */
export function clientNominations(
  connection: HeaderFields[string],
  headers: Readonly<HeaderFields>,
): ReadonlySet<string> {
  const nominated = boundedNominations(connection)
  return nominated.size === 0 ? nominated : new Set([...nominated].filter(name => isMarked(headers, name)))
}

function boundedNominations(connection: HeaderFields[string]): ReadonlySet<string> {
  return connection !== undefined && connection.length > MAX_LENGTH ? NONE : nominatedFields(connection)
}

function isMarked(headers: object, name: string): boolean {
  const get: unknown = Reflect.get(Object.getOwnPropertyDescriptor(headers, name) ?? {}, 'get')
  return typeof get === 'function' && MARKS.has(get)
}
