import { setTimeout as delay } from 'node:timers/promises'
import { durationMs } from '@limpet/core/options'
import { AddressError } from '../admin/admin-address.ts'
import { parseFlags } from '../cli/flags.ts'
import type { Terminal } from '../cli/terminal.ts'
import { UsageError } from '../cli/usage-error.ts'
import {
  AdminClient,
  AdminRequestError,
  type BackendChange,
  type BackendName,
  type PoolRow,
} from './admin-client.ts'
import { watchDrain } from './drain-watch.ts'
import { Screen } from './screen.ts'
import { statusTable } from './status-table.ts'
import type { OperatorVerb } from './verbs.ts'

const HELP = `limpet status, top, drain, ready, maint, weight: commands to a running gateway

  limpet status [POOL | POOL/BACKEND]
  limpet top [POOL | POOL/BACKEND] [--every 2s]
  limpet drain POOL/BACKEND [--deadline 10m] [--spread 0s] [--wait]
  limpet ready POOL/BACKEND
  limpet maint POOL/BACKEND
  limpet weight POOL/BACKEND WEIGHT

  status  prints a line for each backend: its state, live sessions (~ is an
          estimate, - is unknown), requests and failures.
  top     prints the same again and again.
  drain   keeps the sessions of a backend and gives it no new ones. At the
          deadline the sessions that are left move to other backends.
  maint   moves them now.
  ready   ends both.
  weight  sets the share of new sessions, 0 to 256.

  --deadline TIME  when the sessions that are left move; default: 10m
  --spread TIME    from the deadline on they move over this time, not all at
                   once; default: 0s
  --wait           shows the drain, and ends when the backend is safe to stop
  --every TIME     time between two tables of top; default: 2s
  --admin URL      the admin port; default: that of limpet.yaml in this folder,
                   else http://127.0.0.1:8404
  --config FILE    takes the admin port and its token from this file
  --help           prints this

LIMPET_ADMIN_TOKEN is the token of the admin port, if it has one; otherwise the
file's is used.

Exit codes: 0 done, and with --wait: safe to stop, no session was moved; 1 an
error, or another command has ended the drain; 2 with --wait: safe to stop, and
the deadline has moved sessions.
`

const OPTIONS = {
  deadline: { type: 'string' },
  spread: { type: 'string' },
  wait: { type: 'boolean', default: false },
  every: { type: 'string' },
  admin: { type: 'string' },
  config: { type: 'string', short: 'c' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const NAME = /^([\w-]+)\/([\w-]+)$/
const POOL_OR_NAME = /^[\w-]+(?:\/[\w-]+)?$/
const MIN_EVERY_MS = 100
const MAX_WEIGHT = 256

type Flags = ReturnType<typeof parseFlags<typeof OPTIONS>>['values']

/**
 * Runs a command to a running gateway.
 * @param args behind the verb
 * @returns the exit code
 */
export async function runOperator(
  verb: OperatorVerb,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  try {
    const { values, positionals } = parseFlags(args, OPTIONS)
    if (values.help) {
      terminal.out(HELP)
      return 0
    }
    refuseOthersFlags(verb, values)
    return await (verb === 'status' || verb === 'top'
      ? show(verb, positionals, values, terminal)
      : command(verb, positionals, values, terminal))
  } catch (error) {
    if (error instanceof UsageError)
      terminal.error(`limpet ${verb}: ${error.message}\nlimpet ${verb} --help lists the arguments\n`)
    else if (error instanceof AddressError || error instanceof AdminRequestError)
      terminal.error(`limpet ${verb}: ${error.message}\n`)
    else throw error
    return 1
  }
}

function refuseOthersFlags(verb: OperatorVerb, { deadline, spread, wait, every }: Flags): void {
  if (verb !== 'drain' && (deadline !== undefined || spread !== undefined || wait))
    throw new UsageError('--deadline, --spread and --wait are flags of limpet drain')
  if (verb !== 'top' && every !== undefined) throw new UsageError('--every is a flag of limpet top')
}

async function show(
  verb: 'status' | 'top',
  [of, ...more]: readonly string[],
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  if (more.length > 0 || (of !== undefined && !POOL_OR_NAME.test(of)))
    throw new UsageError('it takes nothing, a pool, or POOL/BACKEND')
  const everyMs = flagMs('--every', flags.every ?? '2s', MIN_EVERY_MS)
  const client = await AdminClient.find(flags)
  const screen = new Screen(terminal)
  const table = async (): Promise<string> => statusTable(chosen(await client.pools(), of), Date.now())
  if (verb === 'status') {
    terminal.out(await table())
    return 0
  }
  for (;;) {
    screen.page(await table())
    await delay(everyMs)
  }
}

/** @throws AdminRequestError for a pool or a backend that there is not */
function chosen(pools: Readonly<Record<string, PoolRow>>, of = ''): Readonly<Record<string, PoolRow>> {
  const [name = '', id] = of.split('/')
  if (name === '') return pools
  const pool = Object.hasOwn(pools, name) ? pools[name] : undefined
  if (pool === undefined)
    throw new AdminRequestError(`there is no pool ${name}; there are ${Object.keys(pools).join(', ')}`)
  const backends = pool.backends.filter(backend => id === undefined || backend.id === id)
  if (backends.length === 0 && id !== undefined) throw new AdminRequestError(`there is no backend ${id}`)
  return { [name]: { ...pool, backends } }
}

async function command(
  verb: Exclude<OperatorVerb, 'status' | 'top'>,
  positionals: readonly string[],
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const [name, ...rest] = positionals
  const backend = nameOf(name)
  if (rest.length !== (verb === 'weight' ? 1 : 0))
    throw new UsageError(
      verb === 'weight' ? 'it takes POOL/BACKEND and a weight' : 'it takes one POOL/BACKEND',
    )
  const change = changeOf(verb, rest[0], flags)
  const client = await AdminClient.find(flags)
  const row = await client.change(backend, change)
  if (flags.wait) return watchDrain(client, backend, row, new Screen(terminal))
  terminal.out(statusTable({ [backend.pool]: { backends: [row] } }, Date.now()))
  return 0
}

function nameOf(text: string | undefined): BackendName {
  const [, pool, id] = NAME.exec(text ?? '') ?? []
  if (pool === undefined || id === undefined)
    throw new UsageError('it takes a backend as POOL/BACKEND; limpet status lists them')
  return { pool, id }
}

function changeOf(verb: Exclude<OperatorVerb, 'status' | 'top'>, weight = '', flags: Flags): BackendChange {
  if (verb === 'weight') {
    if (!/^\d{1,3}$/.test(weight) || Number(weight) > MAX_WEIGHT)
      throw new UsageError(`a weight is a whole number from 0 to ${MAX_WEIGHT}`)
    return { weight: Number(weight) }
  }
  if (verb !== 'drain') return { state: verb }
  const { deadline = '10m', spread = '0s' } = flags
  flagMs('--deadline', deadline)
  flagMs('--spread', spread)
  return { state: 'drain', deadline, spread }
}

/** @throws UsageError */
function flagMs(flag: string, text: string, minMs = 0): number {
  try {
    const ms = durationMs(flag, text, 0)
    if (ms >= minMs) return ms
  } catch {
    // The message below says the same in the words of a command line.
  }
  throw new UsageError(`${flag} takes a duration of at most 24d, such as 30s, 10m or 8h`)
}
