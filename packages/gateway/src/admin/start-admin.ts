import type { Logger } from 'pino'
import type { AdminConfig } from '../config/config.ts'
import type { Admin } from './admin.ts'
import type { Operations } from './operations.ts'

/**
 * Starts the admin port where the file has one. Its modules are loaded for it alone.
 * @throws Error when the port is not available
 */
export async function startAdmin(
  operations: Operations,
  config: AdminConfig | undefined,
  log: Logger,
): Promise<Admin | undefined> {
  if (config === undefined) return undefined
  const { Admin } = await import('./admin.ts')
  return Admin.start(operations, config, log)
}
