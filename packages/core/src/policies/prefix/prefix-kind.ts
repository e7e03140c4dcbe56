import { table } from '../../options/option-table.ts'
import type { PolicyKind } from '../policy-kind.ts'
import { PREFIX_OPTIONS, type PrefixPolicyOptions } from './prefix-options.ts'
import { prefixPolicy } from './prefix-policy.ts'

export const PREFIX: PolicyKind<PrefixPolicyOptions> = {
  options: table(PREFIX_OPTIONS),
  isSigned: true,
  parse(path, value) {
    const options = PREFIX_OPTIONS.parse(path, value)
    return {
      cookie: { option: 'cookie', name: options.cookie },
      make: context => prefixPolicy(options, context),
    }
  },
}
