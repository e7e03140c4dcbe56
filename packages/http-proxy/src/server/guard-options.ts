import { integer, type OptionsOf, optionTable } from '@limpet/core/options'

/** More than that is no limit. */
const MAX_UNANSWERED = 1_000_000

/** Limits of one connection of a guarded server. */
export const GUARD_OPTIONS = optionTable({
  /** Unanswered requests of one HTTP/1 connection; more wait, and the connection is not read. @default 16 */
  maxUnanswered: integer({ min: 1, max: MAX_UNANSWERED }),
})

/** Limits of one connection of a guarded server. */
export interface GuardOptions extends OptionsOf<typeof GUARD_OPTIONS> {}
