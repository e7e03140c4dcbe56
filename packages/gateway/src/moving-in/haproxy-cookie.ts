import type { PolicyFile } from './draft.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, MAX_LIFE_MS } from './units.ts'

type CookieFile = Extract<PolicyFile, { cookie: unknown }>['cookie']

/** The policy of a `cookie` line; undefined: limpet has none. @param lines those of the same proxy */
export function cookiePolicy(
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
