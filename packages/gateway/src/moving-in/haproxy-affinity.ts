import type { PoolFile } from '../config/pool-file.ts'
import type { PolicyFile } from './draft.ts'
import { MOVES_ONCE } from './nginx-balance.ts'
import { addPolicy } from './pool-draft.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn, lifeIn, MAX_LIFE_MS } from './units.ts'

type CookieFile = Extract<PolicyFile, { cookie: unknown }>['cookie']

/** `cookie`, `stick-table`, `stick …`, `balance` and what belongs to them. */
export function haproxyAffinity(lines: readonly Statement[], file: PoolFile, report: Report): void {
  for (const statement of lines) {
    if (statement.name === 'balance') {
      report.take(statement)
      balanceOf(statement, file, report)
    } else if (statement.name === 'hash-type') {
      report.take(statement)
      if (statement.args[0] !== 'consistent')
        report.changed(
          statement,
          'each hash of limpet is consistent: a backend that leaves moves its own sessions only',
        )
    }
  }
  const factor = lines.findLast(({ name }) => name === 'hash-balance-factor')
  if (factor !== undefined) boundOf(factor, file, report)
  // The last one holds, as everywhere in HAProxy.
  const cookie = lines.findLast(({ name }) => name === 'cookie')
  report.take(...lines.filter(({ name }) => name === 'cookie' || name === 'dynamic-cookie-key'))
  const own = cookie === undefined ? undefined : cookiePolicy(cookie, lines, report)
  if (own !== undefined) file.affinity = [own]
  const learnt = stickPolicy(lines, file, report)
  if (learnt === undefined || addPolicy(file, learnt)) return
  for (const statement of lines)
    if (statement.name === 'stick') report.lost(statement, 'the cookie of the backend has the same name')
}

function balanceOf(statement: Statement, file: PoolFile, report: Report): void {
  const [algorithm = '', ...args] = statement.args
  const [, name = '', inner = ''] = /^(\w[\w-]*)(?:\(([^)]*)\))?$/.exec(algorithm) ?? []
  switch (name) {
    case 'roundrobin':
    case 'static-rr':
      file.balance = 'round-robin'
      return
    case 'leastconn':
      file.balance = 'least-requests'
      return
    case 'first':
      file.balance = 'first'
      return
    case 'random':
      file.balance = inner === '1' ? 'random' : 'random-two'
      return
    case 'source':
      hash(statement, 'ip', file, report)
      return
    case 'uri':
      hash(statement, 'path', file, report)
      return
    case 'url_param':
      hash(statement, keyOf('query', args[0]), file, report)
      return
    case 'hdr':
      hash(statement, keyOf('header', inner), file, report)
      return
    case 'hash':
      hash(statement, sampleKey(args.join(' ')), file, report)
      return
    default:
      report.lost(statement, 'limpet does not balance so', `balance ${name}`)
  }
}

function hash(statement: Statement, key: string | undefined, file: PoolFile, report: Report): void {
  if (key === undefined) {
    report.lost(statement, 'limpet hashes the address, the path, or one field, parameter or cookie')
    return
  }
  report.changed(statement, MOVES_ONCE)
  file.balance = key === 'ip' ? { hash: key, ipv6Prefix: 128 } : { hash: key }
}

function boundOf(statement: Statement, file: PoolFile, report: Report): void {
  report.take(statement)
  const percent = integerIn(statement.args[0], 0, 1_000_000) ?? 0
  if (typeof file.balance !== 'object' || percent === 0) return
  if (percent < 105) report.lost(statement, 'boundedLoad is 1.05 at least')
  else file.balance = { ...file.balance, boundedLoad: percent / 100 }
}

function keyOf(kind: 'query' | 'header' | 'cookie', name: string | undefined): string | undefined {
  return name !== undefined && /^[\w.-]+$/.test(name) ? `${kind}:${name}` : undefined
}

/** A sample that is one thing of the request. */
function sampleKey(text: string): string | undefined {
  if (text === 'src') return 'ip'
  if (text === 'path') return 'path'
  const [, fetch = '', name] = /^([\w.]+)\(([\w.-]+)(?:,1)?\)$/.exec(text) ?? []
  if (/^(?:req\.)?(?:cook|cookie)$/.test(fetch)) return keyOf('cookie', name)
  if (/^(?:req\.)?f?hdr$/.test(fetch)) return keyOf('header', name)
  return /^(?:urlp|url_param)$/.test(fetch) ? keyOf('query', name) : undefined
}

function cookiePolicy(
  statement: Statement,
  lines: readonly Statement[],
  report: Report,
): PolicyFile | undefined {
  const [name = '', ...words] = statement.args
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
    report.lost(statement, 'the name of the cookie is not a token')
    return undefined
  }
  if (words.includes('prefix')) return { prefix: { cookie: name, accept: ['haproxy'] } }
  if (words.includes('rewrite')) {
    report.lost(
      statement,
      'limpet writes a cookie of its own, and does not rewrite one of the application',
      'cookie … rewrite',
    )
    return undefined
  }
  const cookie: CookieFile = { name, maxLife: '0s' }
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ''
    const value = words[at + 1] ?? ''
    if (/^(?:domain|maxidle|maxlife|attr)$/.test(word)) at += 1
    cookieWord(statement, word, value, cookie, report)
  }
  if (!words.includes('indirect')) cookie.strip = false
  if (cookie.sameSite === 'none' || cookie.partitioned === true) cookie.secure = true
  const isDynamic = words.includes('dynamic')
  if (isDynamic && !lines.some(({ name: key }) => key === 'dynamic-cookie-key'))
    report.changed(statement, 'set HAPROXY_COOKIE_KEY to the dynamic-cookie-key', 'cookie … dynamic')
  cookie.accept = isDynamic ? [{ haproxy: { key: 'env:HAPROXY_COOKIE_KEY' } }] : ['haproxy']
  return { cookie }
}

function cookieWord(
  statement: Statement,
  word: string,
  value: string,
  cookie: CookieFile,
  report: Report,
): void {
  switch (word) {
    case 'secure':
      cookie.secure = true
      return
    case 'preserve':
      cookie.preserve = true
      return
    case 'postonly':
      cookie.onlyMethods = ['POST']
      return
    case 'domain':
      cookie.domain = value.replace(/^\./, '')
      return
    case 'maxidle':
    case 'maxlife': {
      const time = durationIn(value, 's', MAX_LIFE_MS)
      if (time === undefined)
        report.lost(statement, 'a session of limpet ends within 400 days', `cookie … ${word}`)
      else cookie[word === 'maxidle' ? 'maxIdle' : 'maxLife'] = time
      return
    }
    case 'attr':
      attribute(statement, value, cookie, report)
      return
    default:
      if (!/^(?:insert|indirect|nocache|httponly|dynamic)$/.test(word))
        report.lost(statement, 'limpet has no such parameter', `cookie … ${word}`)
  }
}

function attribute(statement: Statement, value: string, cookie: CookieFile, report: Report): void {
  const same = /^samesite=(lax|strict|none)$/i.exec(value)?.[1]?.toLowerCase()
  if (same === 'lax' || same === 'strict' || same === 'none') cookie.sameSite = same
  else if (/^partitioned$/i.test(value)) cookie.partitioned = true
  else report.lost(statement, 'limpet writes SameSite and Partitioned', 'cookie … attr')
}

/** A table that learns from responses is `learn`; one that learns from requests is a hash. */
function stickPolicy(lines: readonly Statement[], file: PoolFile, report: Report): PolicyFile | undefined {
  const table = lines.findLast(({ name }) => name === 'stick-table')
  const sticks = lines.filter(({ name }) => name === 'stick')
  report.take(...sticks, ...(table === undefined ? [] : [table]))
  const stored = sticks.find(({ args: [kind] }) => kind === 'store-response')
  if (stored !== undefined) return learnOf(stored, sticks, table, report)
  for (const statement of sticks) {
    const [kind = '', ...sample] = statement.args
    const key = sampleKey(sample.join(' '))
    if ((kind === 'on' || kind === 'match') && key !== undefined) {
      report.changed(
        statement,
        'limpet keeps no table of clients: a hash of the same key places them, and each session moves once',
      )
      file.balance ??= 'round-robin'
      if (typeof file.balance === 'string')
        file.balance = key === 'ip' ? { hash: key, ipv6Prefix: 128 } : { hash: key }
    } else if (kind !== 'store-request') report.lost(statement, 'limpet has no such key', `stick ${kind}`)
  }
  return undefined
}

function learnOf(
  stored: Statement,
  sticks: readonly Statement[],
  table: Statement | undefined,
  report: Report,
): PolicyFile | undefined {
  const [, fetch = '', name = ''] =
    /^(?:res\.|s)?(cook|hdr|set-cookie)\(([\w.-]+)\)$/.exec(stored.args[1] ?? '') ?? []
  if (name === '' || sticks.filter(({ args: [kind] }) => kind === 'store-response').length > 1) {
    report.lost(stored, 'limpet learns from one cookie or one field of a response', 'stick store-response')
    return undefined
  }
  const own = fetch === 'hdr' ? `header:${name}` : `cookie:${name}`
  const lookups: string[] = []
  for (const statement of sticks) {
    const [kind = '', ...sample] = statement.args
    if (kind !== 'match' && kind !== 'on') continue
    const key = sampleKey(sample.join(' '))
    if (key === undefined || key === 'ip' || key === 'path')
      report.lost(statement, 'a lookup is a cookie, a parameter or a field', `stick ${kind}`)
    else lookups.push(key)
  }
  const words = table?.args ?? []
  const ttl = lifeIn(words[words.indexOf('expire') + 1] ?? '', 'ms')
  const size = sizeOf(words[words.indexOf('size') + 1] ?? '')
  if (table !== undefined && words.includes('peers'))
    report.lost(table, 'each limpet learns for itself', 'stick-table … peers')
  return {
    learn: {
      ...(fetch === 'hdr' ? { header: name } : { cookie: name }),
      ...(lookups.some(key => key !== own) && { lookup: lookups }),
      ...(ttl !== undefined && { ttl }),
      ...(size !== undefined && { maxEntries: size }),
    },
  }
}

function sizeOf(text: string): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,9})([kmg]?)$/i.exec(text) ?? []
  const factor = unit === '' ? 1 : unit.toLowerCase() === 'k' ? 1024 : 1024 ** 2
  const size = Number(count) * factor
  return size >= 1 ? Math.min(size, 16_000_000) : undefined
}
