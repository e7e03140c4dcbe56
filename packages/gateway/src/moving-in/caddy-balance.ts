import type { PoolFile } from '../config/pool-file.ts'
import type { PolicyFile } from './draft.ts'
import { MOVES_ONCE } from './nginx-balance.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn, MAX_LIFE_MS } from './units.ts'

/** `lb_policy` of a `reverse_proxy`: the balancer, or the cookie with its fallback. */
export class BalancePolicy {
  readonly #option: Statement
  readonly #file: PoolFile
  readonly #report: Report

  constructor(option: Statement, file: PoolFile, report: Report) {
    this.#option = option
    this.#file = file
    this.#report = report
  }

  take(): void {
    const [name = '', ...args] = this.#option.args
    const [first = ''] = args
    this.#report.take(...(this.#option.block ?? []))
    const file = this.#file
    switch (name) {
      case 'random':
        return
      case 'random_choose':
        file.balance = 'random-two'
        return
      case 'first':
        file.balance = 'first'
        return
      case 'round_robin':
        file.balance = 'round-robin'
        return
      case 'least_conn':
        file.balance = 'least-requests'
        return
      case 'weighted_round_robin':
        file.balance = 'round-robin'
        for (const [index, text] of args.entries()) {
          const backend = file.backends?.[index]
          const weight = integerIn(text, 0, 256)
          if (backend !== undefined && weight !== undefined) backend.weight = weight
        }
        return
      case 'ip_hash':
      case 'client_ip_hash':
        this.#hash('ip')
        return
      case 'uri_hash':
        this.#hash('path')
        return
      case 'header':
      case 'query':
        if (/^[\w.-]+$/.test(first)) this.#hash(`${name}:${first}`)
        else this.#lost('the name to hash is not a token')
        return
      case 'cookie':
        this.#cookie(args)
        return
      default:
        this.#lost('limpet does not balance so', `lb_policy ${name}`)
    }
  }

  #hash(hash: string): void {
    this.#file.balance = hash === 'ip' ? { hash, ipv6Prefix: 128 } : { hash }
    this.#report.changed(this.#option, MOVES_ONCE, 'lb_policy')
  }

  #cookie([name = 'lb', secret]: readonly string[]): void {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
      this.#lost('the name of the cookie is not a token', 'lb_policy cookie')
      return
    }
    const cookie: Extract<PolicyFile, { cookie: unknown }>['cookie'] = { name, maxLife: '0s' }
    for (const {
      name: key,
      args: [value = '', ...more],
      line,
    } of this.#option.block ?? []) {
      const age = key === 'max_age' ? durationIn(value, 's', MAX_LIFE_MS) : undefined
      if (age !== undefined && age !== '0s') Object.assign(cookie, { maxLife: age, persistent: true })
      else if (key === 'fallback' && more.length === 0) this.#fallback(value)
      else
        this.#report.note({
          line,
          kind: 'lost',
          what: `lb_policy cookie … ${key}`,
          why: 'limpet has no equivalent',
        })
    }
    if (secret !== undefined)
      this.#report.changed(
        this.#option,
        'set CADDY_COOKIE_SECRET to the secret of the cookie',
        'lb_policy cookie',
      )
    cookie.accept = [{ caddy: { secret: secret === undefined ? '' : 'env:CADDY_COOKIE_SECRET' } }]
    this.#file.affinity = [{ cookie }]
  }

  #fallback(policy: string): void {
    const words: Readonly<Record<string, NonNullable<PoolFile['balance']>>> = {
      random: 'random',
      first: 'first',
      round_robin: 'round-robin',
      least_conn: 'least-requests',
      ip_hash: { hash: 'ip', ipv6Prefix: 128 },
      client_ip_hash: { hash: 'ip', ipv6Prefix: 128 },
      uri_hash: { hash: 'path' },
    }
    const balance = words[policy]
    if (balance === undefined) this.#lost('limpet does not balance so', `fallback ${policy}`)
    else this.#file.balance = balance
  }

  #lost(why: string, what?: string): void {
    this.#report.lost(this.#option, why, what)
  }
}
