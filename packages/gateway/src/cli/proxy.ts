import type { AdapterName, ConfigSource } from '../config/config.ts'
import { backendsOf, listenOf } from './endpoints.ts'
import { UsageError } from './usage-error.ts'

export interface ProxyFlags {
  readonly from: string | undefined
  readonly to: readonly string[] | undefined
}

/**
 * The configuration of `limpet proxy`: one pool, whose sessions are kept by the cookie. The secret is that of the
 * environment, if there is one.
 * @throws UsageError
 */
export function proxySource({ from, to }: ProxyFlags, adapter: AdapterName | undefined): ConfigSource {
  if (to === undefined) throw new UsageError('--to is missing, as --to 127.0.0.1:3001,127.0.0.1:3002')
  const hasSecret = (process.env['LIMPET_SECRET'] ?? '') !== ''
  const file = {
    listen: listenOf('--from', from ?? '8080'),
    ...(hasSecret && { secrets: ['env:LIMPET_SECRET'] }),
    pools: {
      web: { backends: backendsOf('--to', to.join(',')), affinity: [{ cookie: {} }], passive: {} },
    },
  }
  return { file: 'limpet proxy', text: JSON.stringify(file), adapter, kept: undefined }
}
