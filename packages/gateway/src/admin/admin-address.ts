import { isIPv6 } from 'node:net'
import type { AdminConfig } from '../config/config.ts'

/** The admin port of a command line that names none. */
export const DEFAULT_ADMIN_URL = 'http://127.0.0.1:8404'

/** The admin port of a running gateway is not to be found, or not to be reached. */
export class AddressError extends Error {
  override readonly name = 'AddressError'
}

/** @throws AddressError for a text that is no address of an admin port */
export function urlOption(flag: string, text: string): URL {
  const given = URL.parse(text)
  if (given === null || !/^https?:$/.test(given.protocol) || given.username !== '' || given.password !== '')
    throw new AddressError(
      `${flag} takes http://host:port or https://host:port, without a name and a password`,
    )
  return given
}

/**
 * The admin port of a file. Of the whole file, so that all of its references must be there, as they are for the gateway.
 * @param withoutSecrets secrets may be missing: the token is not read from the file
 * @throws AddressError for a file with problems
 */
export async function adminOf(file: string, withoutSecrets = false): Promise<AdminConfig | undefined> {
  // Loaded on demand: with a URL it has nothing to read.
  const [{ parseConfig }, { readSource }, { ConfigError }] = await Promise.all([
    import('../config/config-file.ts'),
    import('../config/config-source.ts'),
    import('../config/config.ts'),
  ])
  try {
    return parseConfig(readSource(file, undefined), { withoutSecrets }).admin
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new AddressError(`${file} has problems; limpet check --config ${file} lists them`, { cause: error })
  }
}

/**
 * @param flag of the command line, for an address that the file does not tell
 * @throws AddressError when the file has no admin port, or any free one
 */
export function adminUrl(file: string, admin: AdminConfig | undefined, flag: string): URL {
  if (admin === undefined) throw new AddressError(`${file} has no admin port; add admin: {}`)
  const { host, port } = admin
  if (port === 0)
    throw new AddressError(`${file} has port 0 in admin.listen, which is any free one; use ${flag}`)
  // An address for all interfaces is reached by the loopback one.
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return new URL(`http://${isIPv6(reached) ? `[${reached}]` : reached}:${port}`)
}
