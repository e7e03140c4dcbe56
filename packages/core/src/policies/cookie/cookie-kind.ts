import { table } from '../../options/option-table.ts'
import type { PolicyKind } from '../policy-kind.ts'
import { COOKIE_OPTIONS, type CookiePolicyOptions, parseCookieOptions } from './cookie-options.ts'
import { cookiePolicy } from './cookie-policy.ts'

export const COOKIE: PolicyKind<CookiePolicyOptions> = {
  options: table(COOKIE_OPTIONS),
  isSigned: true,
  parse(path, value) {
    const options = parseCookieOptions(path, value)
    return {
      cookie: { option: 'name', name: options.name, own: options },
      make: context => cookiePolicy(options, context),
    }
  },
}
