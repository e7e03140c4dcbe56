import { durationMs } from '@limpet/core/options'
import { parseOnlyFlags } from '../cli/flags.ts'
import { UsageError } from '../cli/usage-error.ts'
import { AddressError, adminOf, adminUrl, DEFAULT_ADMIN_URL, urlOption } from './admin-address.ts'
import type { Terminal } from '../cli/terminal.ts'

const HELP = `limpet health: asks a running gateway whether it is ready

  limpet health
  limpet health --config limpet.yaml
  limpet health --url http://127.0.0.1:8404

It asks GET /healthz of the admin port, for HEALTHCHECK of a container or
ExecStartPost of a service.

  --url URL       the admin port; default: http://127.0.0.1:8404. The path
                  defaults to /healthz
  --config FILE   takes the admin port from this file
  --timeout TIME  longest wait for the response; default: 3s
  --help          prints this

Exit codes: 0 the response was 200, 1 everything else.
`

const OPTIONS = {
  url: { type: 'string' },
  config: { type: 'string', short: 'c' },
  timeout: { type: 'string', default: '3s' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const MAX_TIMEOUT_MS = 60 * 60_000

/** The gateway is not known to be ready. */
class HealthError extends AddressError {}

/**
 * Runs `limpet health`.
 * @param args behind `health`
 * @returns the exit code: 0 when the gateway is ready, otherwise 1, as a container engine expects
 */
export async function runHealth(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const values = parseOnlyFlags(args, OPTIONS)
    if (values.help) {
      terminal.out(HELP)
      return 0
    }
    await checkHealth(await urlOf(values), timeoutOf(values.timeout))
    terminal.out('ok\n')
    return 0
  } catch (error) {
    if (!(error instanceof AddressError || error instanceof UsageError)) throw error
    terminal.error(`limpet health: ${error.message}\n`)
    return 1
  }
}

async function checkHealth(url: URL, timeoutMs: number): Promise<void> {
  // A redirect is no health: the port is another server's.
  const options = { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) } as const
  const response = await fetch(url, options).catch((error: unknown) => {
    const { name, message, cause } = error as Error
    const reason =
      name === 'TimeoutError'
        ? `no response after ${timeoutMs} ms`
        : ((cause as Error | undefined) ?? { message }).message
    throw new HealthError(`${url.href}: ${reason}`)
  })
  await response.body?.cancel()
  if (response.status !== 200)
    throw new HealthError(`${url.href}: the status is ${response.status}; a ready gateway has 200`)
}

async function urlOf({ url, config }: { url?: string; config?: string }): Promise<URL> {
  if (url !== undefined && config !== undefined)
    throw new UsageError('--url and --config are both given; it takes one of them')
  if (config !== undefined) return new URL('/healthz', adminUrl(config, await adminOf(config), '--url'))
  const given = urlOption('--url', url ?? DEFAULT_ADMIN_URL)
  if (given.pathname === '/') given.pathname = '/healthz'
  return given
}

function timeoutOf(text: string): number {
  try {
    const ms = durationMs('--timeout', text, '3s', MAX_TIMEOUT_MS)
    if (ms > 0) return ms
  } catch {
    // The message below says the same in the words of a command line.
  }
  throw new UsageError(`--timeout got "${text}"; it takes a duration of at most 1h, such as 3s`)
}
