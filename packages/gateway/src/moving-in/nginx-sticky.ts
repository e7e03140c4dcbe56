import type { PoolFile } from '../config/pool-file.ts'
import type { PolicyFile } from './draft.ts'
import { addPolicy } from './pool-draft.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, lifeIn, MAX_LIFE_MS } from './units.ts'

/** `sticky cookie`, `sticky learn` and `sticky route`. */
export function nginxSticky(
  statement: Statement,
  file: PoolFile,
  maps: readonly Statement[],
  report: Report,
): void {
  const [kind, ...args] = statement.args
  const policies =
    kind === 'cookie'
      ? [cookieOf(statement, args, report)]
      : kind === 'learn'
        ? [learnOf(statement, args, report)]
        : kind === 'route'
          ? args.map(variable => routeOf(statement, variable, maps, report))
          : [lostKind(statement, report)]
  report.take(statement)
  for (const policy of policies)
    if (policy !== undefined && !addPolicy(file, policy))
      report.lost(statement, 'another sticky has the same cookie')
}

function lostKind(statement: Statement, report: Report): undefined {
  report.lost(statement, 'limpet knows sticky cookie, sticky learn and sticky route')
  return undefined
}

function cookieOf(
  statement: Statement,
  [name = '', ...params]: readonly string[],
  report: Report,
): PolicyFile | undefined {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) || name.startsWith('$')) {
    report.lost(statement, 'the name of the cookie is not a token')
    return undefined
  }
  // nginx sets no end to a session, and writes the cookie with each response, so its expiry slides.
  const cookie: Extract<PolicyFile, { cookie: unknown }>['cookie'] = { name, maxLife: '0s' }
  for (const param of params) {
    const at = param.indexOf('=')
    const key = at < 0 ? param : param.slice(0, at)
    const value = at < 0 ? '' : param.slice(at + 1)
    if (value.includes('$')) {
      report.lost(statement, 'its value has a variable', `sticky cookie … ${key}`)
      continue
    }
    switch (key) {
      case 'expires': {
        const idle = value === 'max' ? `${MAX_LIFE_MS / 86_400_000}d` : durationIn(value, 's', MAX_LIFE_MS)
        if (idle === undefined || idle === '0s')
          report.lost(statement, 'a session of limpet ends within 400 days', 'sticky cookie … expires')
        else Object.assign(cookie, { maxIdle: idle, persistent: true })
        break
      }
      case 'path':
        if (value.startsWith('/')) cookie.path = value
        else report.lost(statement, 'a path begins with /', 'sticky cookie … path')
        break
      case 'domain':
        cookie.domain = value.replace(/^\./, '')
        break
      case 'secure':
        cookie.secure = true
        break
      case 'samesite':
        sameSite(statement, value, cookie, report)
        break
      case 'httponly':
        break
      default:
        report.lost(statement, 'limpet has no such parameter', `sticky cookie … ${key}`)
    }
  }
  if (cookie.sameSite === 'none') cookie.secure = true
  cookie.accept = ['raw', 'nginx']
  return { cookie }
}

function sameSite(statement: Statement, value: string, cookie: { sameSite?: unknown }, report: Report): void {
  const word = (['lax', 'strict', 'none'] as const).find(one => one === value.toLowerCase())
  if (word === undefined) report.lost(statement, 'it takes lax, strict or none', 'sticky cookie … samesite')
  else cookie.sameSite = word
}

function learnOf(statement: Statement, params: readonly string[], report: Report): PolicyFile | undefined {
  const valuesOf = (key: string): readonly string[] =>
    params.filter(param => param.startsWith(`${key}=`)).map(param => param.slice(key.length + 1))
  const [created, ...more] = valuesOf('create').flatMap(value => given(value) ?? [])
  if (created === undefined) {
    report.lost(statement, 'limpet learns from a cookie or a field of a response', 'sticky learn create=')
    return undefined
  }
  if (more.length > 0)
    report.lost(statement, 'limpet learns from one place; the first is taken', 'sticky learn create=')
  if (params.includes('sync') || valuesOf('sync').length > 0)
    report.lost(statement, 'each limpet learns for itself', 'sticky learn … sync')
  const lookups = valuesOf('lookup').map(value => lookup(value))
  if (lookups.includes(undefined))
    report.lost(statement, 'a lookup is a cookie, a parameter or a field', 'sticky learn lookup=')
  const known = lookups.filter(one => one !== undefined)
  const own = 'cookie' in created ? `cookie:${created.cookie}` : `header:${created.header}`
  const ttl = lifeIn(valuesOf('timeout')[0] ?? '10m', 's')
  return {
    learn: {
      ...created,
      ...(known.some(one => one !== own) && { lookup: known }),
      ...(ttl !== undefined && { ttl }),
    },
  }
}

function given(value: string): { cookie: string } | { header: string } | undefined {
  const [, kind = '', name = ''] = /^\$(?:upstream_)?(cookie|http)_(\w+)$/.exec(value) ?? []
  if (kind === 'cookie') return { cookie: name }
  return kind === 'http' ? { header: name.replaceAll('_', '-') } : undefined
}

function lookup(value: string): string | undefined {
  const [, kind = '', name = ''] = /^\$(cookie|http|arg)_(\w+)$/.exec(value) ?? []
  if (kind === 'cookie') return `cookie:${name}`
  if (kind === 'http') return `header:${name.replaceAll('_', '-')}`
  return kind === 'arg' ? `query:${name}` : undefined
}

/** A variable that holds a route: a parameter, a field, or a map that cuts it off a cookie. */
function routeOf(
  statement: Statement,
  variable: string,
  maps: readonly Statement[],
  report: Report,
): PolicyFile | undefined {
  const [, kind = '', name = ''] = /^\$(http|arg)_(\w+)$/.exec(variable) ?? []
  if (kind === 'arg') return { route: { query: name } }
  if (kind === 'http') return { route: { header: name.replaceAll('_', '-') } }
  const map = maps.find(({ args: [, result] }) => result === variable)
  const cookie = /^\$cookie_(\w+)$/.exec(map?.args[0] ?? '')?.[1]
  const patterns = (map?.block ?? []).filter(entry => entry.name.startsWith('~'))
  const isCut = patterns.length > 0 && patterns.every(({ name: text }) => /\\\.\(/.test(text))
  if (map !== undefined && cookie !== undefined && isCut) {
    report.take(map, ...(map.block ?? []))
    return { route: { cookie } }
  }
  report.lost(
    statement,
    'limpet reads a route from a field, a parameter, or behind the last dot of a cookie',
    `sticky route ${variable}`,
  )
  return undefined
}
