import type { PoolFile } from '../config/pool-file.ts'
import { addCheckHeader } from './check-headers.ts'
import type { ServerParams } from './haproxy-params.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn, intervalIn } from './units.ts'

type Health = NonNullable<PoolFile['health']>
type Expectation = number | '2xx' | '3xx' | '4xx' | '5xx'

/** `option httpchk`, `http-check` and the parameters of the checks. */
export function haproxyHealth(
  lines: readonly Statement[],
  params: ServerParams | undefined,
  server: Statement | undefined,
  timeout: string | undefined,
  file: PoolFile,
  report: Report,
): void {
  const option = lines.findLast(({ name, args }) => name === 'option' && args[0] === 'httpchk')
  const sends = lines.filter(({ name }) => name === 'http-check')
  if (option !== undefined) report.take(option)
  if (params?.has('check') !== true || server === undefined) {
    report.take(...sends)
    return
  }
  const health: Health = {}
  if (option === undefined) {
    health.tcp = true
  } else {
    if (!request(option.args.slice(1), health))
      report.partly(option, 'limpet sends header fields of plain text, and no secrets', 'option httpchk')
    health.expect = ['2xx', '3xx']
  }
  if (option === undefined) report.take(...sends)
  else for (const statement of sends) httpCheck(statement, health, report)
  const interval = intervalIn(params.get('inter') ?? '2s', 'ms')
  if (interval !== undefined) health.interval = interval
  const check = durationIn(timeout ?? '', 'ms')
  if (check !== undefined && check !== '0s') health.timeout = check
  health.fall = integerIn(params.get('fall'), 1, 1000) ?? 3
  health.rise = integerIn(params.get('rise'), 1, 1000) ?? 2
  file.health = health
}

/** `[METHOD] URI [VERSION]`; lines of the header may stand behind the version. False: one of them is lost. */
function request(args: readonly string[], health: Health): boolean {
  const [first, second, version = ''] = args
  // Without a method HAProxy asks with OPTIONS.
  const [method, path] = second === undefined ? ['OPTIONS', first ?? '/'] : [first ?? 'GET', second]
  if (/^[A-Z]+$/.test(method) && method !== 'CONNECT' && method !== 'GET') health.method = method
  health.path = path.startsWith('/') && /^[\u0021-\u007E]+$/.test(path) ? path : '/'
  const [, ...lines] = version.split(/\r?\n/)
  return lines
    .filter(line => line !== '')
    .every(line => {
      const [, name = '', value = ''] = /^([^:]+):[ \t]*(.*)$/.exec(line) ?? []
      return addCheckHeader(health, name, value, hasSample)
    })
}

/** Whether a text has a sample of HAProxy, as `%[src]`. */
function hasSample(text: string): boolean {
  return text.includes('%[')
}

function httpCheck(statement: Statement, health: Health, report: Report): void {
  report.take(statement)
  const [kind = '', ...args] = statement.args
  if (kind === 'expect' && expectation(args, health)) return
  if (kind === 'send' && send(args, health)) return
  if (kind === 'disable-on-404') {
    health.selfDrain = true
    return
  }
  report.lost(
    statement,
    'limpet takes one request and statuses or a text of its response',
    `http-check ${kind}`,
  )
}

function expectation(args: readonly string[], health: Health): boolean {
  const words = args.filter(
    (word, index) =>
      !/^(?:min-recv|comment|ok-status|error-status|tout-status|on-success|on-error|status-code)$/.test(
        word,
      ) || index > 0,
  )
  const [what = '', ...rest] = words
  if (what === 'string') {
    const text = rest.join(' ')
    if (text === '') return false
    health.body = text
    return true
  }
  const [pattern = ''] = rest
  if (what === 'rstatus') {
    const classes =
      /^\^?(?:\[([2345]+)\]|([2345])|\(([2345](?:\|[2345])+)\))(?:\[0-9\]\[0-9\]|\.\.|\d?\\d\\d|\*|\[0-9\]\*)?$/.exec(
        pattern,
      )
    const digits = classes?.[1] ?? classes?.[2] ?? classes?.[3]
    if (digits === undefined) return false
    health.expect = Array.from(digits.replaceAll('|', ''), digit => `${digit}xx` as Expectation)
    return true
  }
  if (what !== 'status') return false
  const statuses: Expectation[] = []
  for (const part of pattern.split(',')) {
    const found = statusesIn(part)
    if (found === undefined || statuses.length > 50) return false
    statuses.push(...found)
  }
  const [only] = statuses
  if (only === undefined) return false
  health.expect = statuses.length === 1 ? only : statuses
  return true
}

function statusesIn(part: string): readonly Expectation[] | undefined {
  const [, from = '', to = ''] = /^(\d{3})(?:-(\d{3}))?$/.exec(part) ?? []
  if (from === '' || Number(from) < 200 || Number(to === '' ? from : to) > 599) return undefined
  if (to === '') return [Number(from)]
  if (!from.endsWith('00') || !to.endsWith('99')) return undefined
  const classes: Expectation[] = []
  for (let digit = Number(from[0]); digit <= Number(to[0]); digit += 1)
    classes.push(`${digit}xx` as Expectation)
  return classes
}

function send(args: readonly string[], health: Health): boolean {
  for (let at = 0; at < args.length; at += 1) {
    const value = args[at + 1] ?? ''
    switch (args[at] ?? '') {
      case 'meth':
        if (!/^[A-Z]+$/.test(value) || value === 'CONNECT') return false
        health.method = value
        at += 1
        break
      case 'uri':
        if (!/^\/[\u0021-\u007E]*$/.test(value)) return false
        health.path = value
        at += 1
        break
      case 'ver':
        at += 1
        break
      case 'hdr': {
        if (!addCheckHeader(health, value, args[at + 2] ?? '', hasSample)) return false
        at += 2
        break
      }
      default:
        return false
    }
  }
  return true
}
