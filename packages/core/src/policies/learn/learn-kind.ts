import { table } from '../../options/option-table.ts'
import type { PolicyKind } from '../policy-kind.ts'
import { LEARN_OPTIONS, type LearnPolicyOptions, parseLearnOptions } from './learn-options.ts'
import { learnPolicy } from './learn-policy.ts'

export const LEARN: PolicyKind<LearnPolicyOptions> = {
  options: table(LEARN_OPTIONS),
  // Only with a store outside of this process.
  isSigned: false,
  parse(path, value) {
    const options = parseLearnOptions(path, value)
    return {
      ...(options.kind === 'cookie' && { cookie: { option: 'cookie', name: options.name } }),
      make: context => learnPolicy(options, context),
    }
  },
}
