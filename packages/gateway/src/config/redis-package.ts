import { createRequire } from 'node:module'
import type * as Redis from '@limpet/redis'

const load = createRequire(import.meta.url)

/**
 * The package @limpet/redis. It is optional, and is loaded only for a file that asks for it.
 * @throws Error that says how to install it
 */
export function redisPackage(): typeof Redis {
  try {
    return load('@limpet/redis') as typeof Redis
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') throw error
    const hint = 'needs the package @limpet/redis; install it beside limpet: npm install @limpet/redis'
    throw new Error(hint, { cause: error })
  }
}
