import { OptionError } from '@limpet/core'
import { list, optionTable, parsed, table, text } from '@limpet/core/options'
import { isLoopbackAddress } from '../admin/admission.ts'
import { isBackendRule } from '../admin/allowed-backends.ts'
import { address, REFERENCE } from './file-kinds.ts'

const HOST_NAME = text({
  pattern: /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?$/,
  takes: 'the name of a host, without a port',
})

const RULE_TAKES = 'an address, a range as 10.0.0.0/8, a host, *.domain, or unix:/path'
const RULE = parsed<string, string>(
  RULE_TAKES,
  (path, value) => {
    if (typeof value !== 'string' || !isBackendRule(value)) throw new OptionError(path, value, RULE_TAKES)
    return value
  },
  { type: 'string', minLength: 1 },
)

/** The admin port. */
const ADMIN_OPTIONS = optionTable(
  {
    /** Its address and port. @default 127.0.0.1:8404 */
    listen: address('127.0.0.1:8404'),
    /** A secret that requests have to carry. Needed where `listen` is no loopback address. @default absent: only this machine is served */
    token: REFERENCE,
    /** Names that the Host of a request may have, beside the loopback names and addresses. @default [] */
    hosts: list(HOST_NAME, { takes: 'a list of host names', default: [] }),
    /** Places where backends may be added. @default the hosts and networks of the backends in the file */
    allowBackends: list(RULE, { takes: `a list of these: ${RULE_TAKES}` }),
  },
  function* ({ listen, token }, at) {
    if (token === undefined && !isLoopback(listen.host))
      yield new OptionError(at('token'), token, '', `is missing; ${listen.host} is no loopback address`)
  },
)

export const ADMIN = table(ADMIN_OPTIONS)

export function isLoopback(host: string): boolean {
  return host === 'localhost' || isLoopbackAddress(host)
}
