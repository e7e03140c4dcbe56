import type { PoolFile } from '../config/pool-file.ts'
import { addCheckHeader } from './check-headers.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn, intervalIn } from './units.ts'

/** Whether a text has one of Caddy's placeholders. */
export const hasVariable = (value: string): boolean => /\{[^}]+\}/.test(value)

/** An option of active or passive health checks of a `reverse_proxy`. False for any other, and for a value that limpet cannot take. */
export function takeHealth(option: Statement, file: PoolFile, report: Report): boolean {
  return takeActive(option, file, report) || takePassive(option, file)
}

function takeActive(option: Statement, file: PoolFile, report: Report): boolean {
  const {
    name,
    args: [value = ''],
  } = option
  const health = file.health ?? {
    fall: 1,
    rise: 1,
    interval: '30s',
    timeout: '5s',
    expect: '2xx' as const,
  }
  const time = durationIn(value, 's')
  switch (name) {
    case 'health_uri':
      if (!/^\/[\u0021-\u007E]*$/.test(value)) return false
      health.path = value
      break
    case 'health_interval':
      health.interval = intervalIn(value, 's') ?? '30s'
      break
    case 'health_timeout':
      if (time !== undefined && time !== '0s') health.timeout = time
      break
    case 'health_fails':
      health.fall = integerIn(value, 1, 1000) ?? 1
      break
    case 'health_passes':
      health.rise = integerIn(value, 1, 1000) ?? 1
      break
    case 'health_method':
      if (!/^[A-Z]+$/.test(value) || value === 'CONNECT') return false
      health.method = value
      break
    case 'health_status': {
      const one = integerIn(value, 200, 599)
      const many = (['2xx', '3xx', '4xx', '5xx'] as const).find(word => word === value)
      const expected = one ?? many
      if (expected === undefined) return false
      health.expect = expected
      break
    }
    case 'health_body':
      if (!/^[\w\s-]+$/.test(value)) return false
      health.body = value
      break
    case 'health_headers':
      return takeHeaders(option, file, health, report)
    default:
      return false
  }
  file.health = health
  return true
}

function takeHeaders(
  option: Statement,
  file: PoolFile,
  health: NonNullable<PoolFile['health']>,
  report: Report,
): boolean {
  for (const field of option.block ?? []) {
    report.take(field)
    if (!addCheckHeader(health, field.name, field.args[0] ?? '', hasVariable)) return false
  }
  file.health = health
  return true
}

function takePassive({ name, args }: Statement, file: PoolFile): boolean {
  const [value = ''] = args
  const passive = file.passive ?? { fall: 1 }
  if (name === 'fail_duration') {
    const time = durationIn(value, 's')
    if (time !== undefined && time !== '0s') passive.retryAfter = time
  } else if (name === 'max_fails') passive.fall = integerIn(value, 1, 1000) ?? 1
  else if (name === 'unhealthy_status') {
    const statuses = args.flatMap(text => integerIn(text, 200, 599) ?? [])
    if (statuses.length < args.length) return false
    passive.statuses = statuses
  } else if (name === 'unhealthy_request_count') {
    file.maxInFlight = integerIn(value, 1, 1_000_000) ?? 0
    return true
  } else return false
  file.passive = passive
  return true
}
