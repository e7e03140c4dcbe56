import { foldedName } from './folded-name.ts'
import type { HeaderFields, RawHeaders } from './heads.ts'
import { editedValues, type HeaderEdits, isProtected } from './header-edits.ts'
import { isSpelling } from './spelling.ts'
import { fieldValue, isAsRead, isCutToFirst, type WireField, wireFields } from './wire-fields.ts'

/** A header as the application and the operator want it: lines and fields say the same. */
export interface EffectiveLines {
  readonly rawHeaders: string[]
  readonly headers: HeaderFields
  /** The names, in lower case, of the fields that were set, replaced or removed; none where no edit counts. */
  readonly names: ReadonlySet<string>
}

/**
 * Applies to the header lines `wire` the edits that an application has made in `fields`, which Node has parsed from
 * them. Unedited fields keep their lines. An edited field has its new lines in the place of the first old one, and a
 * new field goes to the end. `edits` are applied last.
 *
 * The backend gets no line that the application has not seen: of a field with one value, of which Node keeps the first
 * line, the others are left out. Nor does it get a second spelling of a field: `X_User` is left out beside an `X-User`
 * of the client, and beside any `X-User` or `X_User` that the application or the operator has edited.
 * @returns undefined when `wire` and `fields` hold as they are
 * @throws InvalidEditError for an edit that cannot be written
 */
export function effectiveLines(
  wire: RawHeaders,
  fields: Readonly<HeaderFields>,
  edits?: HeaderEdits,
): EffectiveLines | undefined {
  if (edits === undefined && isUnedited(wire, fields)) return undefined
  const changes = new Changes(wireFields(wire), fields)
  if (edits !== undefined) changes.make(edits)
  changes.dropTwins()
  return changes.isEmpty ? undefined : changes.apply(wire)
}

/**
 * Whether `fields` are, one by one and in their order, the lines of `wire`. Keys are distinct, so a client cannot hide
 * an edit behind a line that stands twice. False for lines of one name, and for two spellings of one, which a closer look
 * compares.
 */
function isUnedited(wire: RawHeaders, fields: Readonly<HeaderFields>): boolean {
  let at = 0
  for (const key in fields) {
    const name = wire[at]
    if (name === undefined || fields[key] !== wire[at + 1] || !isSpelling(name, key)) return false
    if (key.includes('_') && fields[foldedName(key)] !== undefined) return false
    at += 2
  }
  return at === wire.length
}

/** The lines of one field, as an application or an operator wants them: none where it was removed. */
interface Change {
  readonly name: string
  readonly values: readonly string[]
  /** At the end of the header, also where the wire has the field. */
  readonly isLast?: boolean
}

/** The differences between the lines of the wire and the application's fields, by lower-case name. */
class Changes {
  readonly #wire: ReadonlyMap<string, WireField>
  readonly #asked = new Map<string, { readonly name: string; readonly value: HeaderFields[string] }>()
  readonly #isHttp2: boolean
  readonly #changes = new Map<string, Change>()
  readonly #names = new Set<string>()
  /** Whether `fields` frame the message in another way than the wire. */
  #isProtectedEdited = false

  constructor(wire: ReadonlyMap<string, WireField>, fields: Readonly<HeaderFields>) {
    this.#wire = wire
    this.#isHttp2 = wire.has(':method')
    for (const name in fields) this.#ask(name, fields[name])
    for (const [lower, field] of wire) this.#compare(lower, field)
    for (const [lower, { name, value }] of this.#asked) if (!wire.has(lower)) this.#add(lower, name, value)
    this.#agreeOnHost()
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0 && !this.#isProtectedEdited
  }

  /** An operator's lines are written also where the client has said the same: they are not the client's any more. */
  make({ set, remove }: HeaderEdits): void {
    for (const lower of remove) {
      if (this.#wire.has(lower) || this.#changes.has(lower)) this.#change(lower, { name: lower, values: [] })
      else this.#names.add(lower)
    }
    for (const [lower, [name, value]] of set) this.#change(lower, { name, values: [value], isLast: true })
    this.#agreeOnHost()
  }

  /** Leaves out the client's second spellings of a field. Nearly all messages have none. */
  dropTwins(): void {
    if (!hasFolding(this.#wire.keys()) && !hasFolding(this.#names)) return
    const edited = new Set(Array.from(this.#names, foldedName))
    for (const [lower, { name }] of this.#wire) {
      if (this.#names.has(lower) || isProtected(lower)) continue
      const twin = foldedName(lower)
      if (edited.has(twin) || (twin !== lower && this.#wire.has(twin)))
        this.#change(lower, { name, values: [] })
    }
  }

  apply(wire: RawHeaders): EffectiveLines {
    const rawHeaders: string[] = []
    const headers = Object.create(null) as HeaderFields
    const write = (lower: string, { name, values }: Change): void => {
      if (values.length === 0) return
      for (const value of values) rawHeaders.push(name, value)
      headers[lower] = fieldValue(lower, values, this.#isHttp2)
    }
    for (let index = 0; index + 1 < wire.length; index += 2) {
      const name = wire[index] ?? ''
      const lower = name.toLowerCase()
      const change = this.#changes.get(lower)
      if (change === undefined) {
        rawHeaders.push(name, wire[index + 1] ?? '')
        headers[lower] ??= this.#untouched(lower)
      } else if (change.isLast !== true && headers[lower] === undefined) {
        write(lower, change)
      }
    }
    for (const [lower, change] of this.#changes) {
      if (change.isLast === true || !this.#wire.has(lower)) write(lower, change)
    }
    return { rawHeaders, headers, names: this.#names }
  }

  /** A spelling that only an application can have made counts more than a client's line beside it. */
  #ask(name: string, value: HeaderFields[string]): void {
    const lower = name.toLowerCase()
    const wire = this.#wire.get(lower)
    const isClients =
      name === lower && wire !== undefined && isAsRead(lower, wire.values, value, this.#isHttp2)
    if (!isClients || !this.#asked.has(lower)) this.#asked.set(lower, { name, value })
  }

  #compare(lower: string, { name, values }: WireField): void {
    const asked = this.#asked.get(lower)
    if (asked !== undefined && isAsRead(lower, values, asked.value, this.#isHttp2)) {
      // No edit, so the name stays the client's.
      if (isCutToFirst(lower, values, asked.value))
        this.#changes.set(lower, { name, values: values.slice(0, 1) })
      return
    }
    if (isProtected(lower)) {
      this.#isProtectedEdited ||= lower !== '__proto__'
    } else if (!lower.startsWith(':')) {
      const spelling = asked === undefined || asked.name === lower ? name : asked.name
      this.#change(lower, { name: spelling, values: editedValues(asked?.name ?? lower, asked?.value) })
    } else if (lower === ':authority') {
      this.#change(lower, { name, values: editedValues('host', asked?.value) })
    } else {
      // `method` and `url` replace the other pseudo-header fields.
      this.#isProtectedEdited = true
    }
  }

  #add(lower: string, name: string, value: HeaderFields[string]): void {
    if (isProtected(lower)) {
      this.#isProtectedEdited = true
      return
    }
    const field = lower === ':authority' && this.#isHttp2 ? 'host' : name
    const values = editedValues(field, value)
    if (values.length > 0) this.#change(field.toLowerCase(), { name: field, values })
    // Set to nothing: the client's other spellings of it are not wanted either.
    else this.#names.add(field.toLowerCase())
  }

  #change(lower: string, change: Change): void {
    this.#changes.set(lower, change)
    this.#names.add(lower === ':authority' ? 'host' : lower)
  }

  /** HTTP/2 may say it twice, and the one must not contradict the other (RFC 9113 §8.3.1). */
  #agreeOnHost(): void {
    const authority = this.#wire.get(':authority')
    if (authority === undefined) return
    const [host = this.#changes.get(':authority')?.values[0]] = this.#changes.get('host')?.values ?? []
    if (host === undefined) return
    this.#change(':authority', { name: authority.name, values: [host] })
    const line = this.#wire.get('host')
    if (line === undefined) this.#changes.delete('host')
    else this.#change('host', { name: line.name, values: [host] })
  }

  /** Node's own value, so that it is read as it is where nothing was edited; that of the wire where edits do not count. */
  #untouched(lower: string): HeaderFields[string] {
    const asked = isProtected(lower) || lower.startsWith(':') ? undefined : this.#asked.get(lower)
    return asked?.value ?? fieldValue(lower, this.#wire.get(lower)?.values ?? [], this.#isHttp2)
  }
}

function hasFolding(names: Iterable<string>): boolean {
  for (const name of names) if (name.includes('_')) return true
  return false
}
