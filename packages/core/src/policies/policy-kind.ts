import type { WrittenCookie } from '../http/cookie-path.ts'
import type { OptionKind } from '../options/option-kind.ts'
import type { AffinityPolicy, PolicyContext } from './policy.ts'

/** One of the policies that limpet has: its options, and how it is made of them. */
export interface PolicyKind<Given> {
  /** Its options, as a file has them. */
  readonly options: OptionKind<Given, unknown>
  /** It signs whatever its options are, so a wrong secret is a problem beside those of its options. */
  readonly isSigned: boolean
  /** @throws OptionError with every problem */
  parse(path: string, value: unknown): PolicyPlan
}

/** A policy whose options are checked, and that is not made yet. */
export interface PolicyPlan {
  /** The cookie that it reads or writes: no other policy of the list may, because one could not read the other's edits. */
  readonly cookie?: UsedCookie
  make(context: PolicyContext): AffinityPolicy
}

export interface UsedCookie {
  /** The option that has its name. */
  readonly option: string
  readonly name: string
  /** The cookie is the policy's own. Absent: it is the application's. */
  readonly own?: WrittenCookie
}
