import { OptionError } from '@limpet/core'
import type { OptionProblem } from '@limpet/core/options'
import { parseHttpProxyOptions } from '@limpet/http-proxy/transport'
import type { PoolConfig } from './config.ts'

/** Every problem that core and the adapters find in the options of a pool. */
export function optionProblems(options: PoolConfig['options']): readonly OptionProblem[] {
  try {
    parseHttpProxyOptions(options)
    return []
  } catch (error) {
    if (error instanceof OptionError) return error.problems
    throw error
  }
}

/** Whether `path` is `other`, or a part of it. */
export function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`)
}
