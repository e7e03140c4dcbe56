import { readFileSync } from 'node:fs'
import { AddressError } from '../admin/admin-address.ts'
import { parseOnlyFlags } from '../cli/flags.ts'
import { UsageError } from '../cli/usage-error.ts'
import { AdminClient, AdminRequestError } from '../operator/admin-client.ts'
import type { Terminal } from '../cli/terminal.ts'
import type { Question } from './question.ts'
import { explanationText } from './report.ts'
import { FIELD_LINE, requestText } from './request-file.ts'

const HELP = `limpet explain: why a request gets its backend

  limpet explain --cookie 'SERVERID=v1.3fK9...; sid=8c1...'
  limpet explain --request request.txt
  limpet explain --host shop.example --path /cart --header 'X-Session-ID: 8c...'

It asks a running gateway and sends nothing to a backend: no session begins or
moves, nothing is counted, and no turn of a balancer is used. It prints what
each policy has read, and why each backend does or does not take the request.
With several workers one of them is asked: the turn of a balancer is each
worker's own. The log says why an earlier request has moved.

  --cookie VALUE   the cookies of the request, or the value of the pool's own
                   cookie alone
  --request FILE   the head of the request: a request line and header lines, as
                   curl -v shows them; - is the standard input
  --pool NAME      the pool; default: that of the routes
  --host HOST      the Host of the request; default: localhost
  --path PATH      the target of the request; default: /
  --method METHOD  default: GET
  --header LINE    a header as 'Name: value'; may be repeated
  --client IP      the client's address
  --json           prints the explanation as JSON
  --admin URL      the admin port; default: that of limpet.yaml in this folder,
                   else http://127.0.0.1:8404
  --config FILE    takes the admin port and its token from this file
  --help           prints this

LIMPET_ADMIN_TOKEN is the token of the admin port, if it has one; otherwise the
file's is used.

Exit codes: 0 explained, 1 an error.
`

const OPTIONS = {
  cookie: { type: 'string' },
  request: { type: 'string' },
  pool: { type: 'string' },
  host: { type: 'string' },
  path: { type: 'string' },
  method: { type: 'string' },
  header: { type: 'string', multiple: true },
  client: { type: 'string' },
  json: { type: 'boolean', default: false },
  admin: { type: 'string' },
  config: { type: 'string', short: 'c' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

type Flags = ReturnType<typeof parseOnlyFlags<typeof OPTIONS>>

/**
 * Runs `limpet explain`.
 * @param args behind `explain`
 * @returns the exit code
 */
export async function runExplain(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const flags = parseOnlyFlags(args, OPTIONS)
    if (flags.help) {
      terminal.out(HELP)
      return 0
    }
    const question = questionOf(flags)
    const client = await AdminClient.find(flags)
    const explanation = await client.explain(question)
    terminal.out(flags.json ? `${JSON.stringify(explanation, undefined, 2)}\n` : explanationText(explanation))
    return 0
  } catch (error) {
    if (error instanceof UsageError)
      terminal.error(`limpet explain: ${error.message}\nlimpet explain --help lists the arguments\n`)
    else if (error instanceof AddressError || error instanceof AdminRequestError)
      terminal.error(`limpet explain: ${error.message}\n`)
    else throw error
    return 1
  }
}

/** @throws UsageError */
function questionOf(flags: Flags): Question {
  const { cookie, request, pool, host, path, method, header = [], client } = flags
  const read = request === undefined ? undefined : requestText(request, readText(request))
  const own = header.map(fieldOf)
  const hosts = host === undefined ? [] : [['Host', host] as const]
  // A flag counts more than the file.
  const rest = (read?.headers ?? []).filter(([name]) => host === undefined || name.toLowerCase() !== 'host')
  return {
    method: method ?? read?.method ?? 'GET',
    url: path ?? read?.url ?? '/',
    headers: [...hosts, ...rest, ...own],
    ...(pool !== undefined && { pool }),
    ...(cookie !== undefined && { cookie }),
    ...(client !== undefined && { client }),
  }
}

function fieldOf(line: string): readonly [string, string] {
  const [, name, value = ''] = FIELD_LINE.exec(line) ?? []
  if (name === undefined) throw new UsageError("--header takes a header as 'Name: value'")
  return [name, value]
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'latin1')
  } catch (error) {
    throw new UsageError(`--request: ${(error as Error).message}`, { cause: error })
  }
}
