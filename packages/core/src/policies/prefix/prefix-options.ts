import { list } from '../../options/composed-kinds.ts'
import { boolean, text, word } from '../../options/plain-kinds.ts'
import { needed } from '../../options/option-kind.ts'
import { type OptionsOf, optionTable, type ParsedOptions } from '../../options/option-table.ts'
import { TOKEN } from '../../http/token.ts'

/** The `prefix` policy. */
export const PREFIX_OPTIONS = optionTable({
  /** The application's cookie that carries the mark, as `JSESSIONID`. */
  cookie: needed(text({ pattern: TOKEN, takes: 'the name of a cookie, a token (RFC 9110 §5.6.2)' })),
  /** A cacheable response that sets it becomes private. @default true */
  noCache: boolean({ default: true }),
  /** A keyed tag stands for the backend. False: its id, readable. @default true */
  opaque: boolean({ default: true }),
  /**
   * Marks of another load balancer to read: with `haproxy` an id or an alias and a `~` before the application's value,
   * as `s1~abc` (HAProxy `cookie … prefix`). They are not signed, so every client may choose. @default []
   */
  accept: list(word(['haproxy']), { takes: 'a list of haproxy', default: [] }),
})

export interface PrefixPolicyOptions extends OptionsOf<typeof PREFIX_OPTIONS> {}

/** The same, complete and checked. */
export type PrefixOptions = ParsedOptions<typeof PREFIX_OPTIONS.options>
