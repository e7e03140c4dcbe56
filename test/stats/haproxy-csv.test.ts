import { type Affinity, createAffinity } from '@limpet/core'
import { statsCsv } from '@limpet/stats'
import { expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { visit } from '../support/operator.ts'

const SECRETS = ['a-secret-of-the-tests-0123456789abcdef']

/** Columns whose position other programs have written down (HAProxy's management guide, §9.1). */
const POSITIONS = {
  scur: 4,
  stot: 7,
  bin: 8,
  bout: 9,
  econ: 13,
  status: 17,
  weight: 18,
  lastchg: 23,
  downtime: 24,
  type: 32,
  check_status: 36,
  check_duration: 38,
  hrsp_1xx: 39,
  hrsp_5xx: 43,
  req_tot: 48,
  last_chk: 56,
  qtime: 58,
  ttime: 61,
  addr: 73,
  mode: 75,
  uweight: 99,
}

/** Fields of a line of CSV (RFC 4180). */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  )
}

interface Measurement {
  readonly tags: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string | number>>
}

/** As Telegraf's `inputs.haproxy` reads it; its errors are thrown. */
function telegraf(text: string): Measurement[] {
  const [head = '', ...lines] = text.split('\n').filter(line => line !== '')
  if (!head.startsWith('# ')) throw new Error('did not receive valid haproxy headers')
  const names = fieldsOf(head.slice(2))
  return lines.map(line => {
    const row = fieldsOf(line)
    if (row.length !== names.length) throw new Error('number of columns does not match number of headers')
    const tags: Record<string, string> = {}
    const fields: Record<string, string | number> = {}
    for (const [index, value] of row.entries()) {
      const name = names[index] ?? ''
      if (value === '') continue
      if (name === 'pxname' || name === 'svname') tags[name === 'pxname' ? 'proxy' : 'sv'] = value
      else if (name === 'type') {
        const type = ['frontend', 'backend', 'server', 'listener'][Number(value)]
        if (type === undefined) throw new Error('received unknown type value')
        tags['type'] = type
      } else if (
        /^(?:status|check_status|last_chk|mode|tracked|agent_status|last_agt|addr|cookie)$/.test(name)
      ) {
        fields[name] = value
      } else if (name === 'lastsess' || /^\d+$/.test(value)) {
        fields[name] = Number(value)
      } else {
        throw new Error(`${name} is no unsigned integer: ${value}`)
      }
    }
    return { tags, fields }
  })
}

/** As Zabbix's preprocessing "CSV to JSON" with a header row does it, which takes no line with more fields than names. */
function zabbix(text: string): Readonly<Record<string, string>>[] {
  const [head = '', ...lines] = text.split('\n').filter(line => line !== '')
  const names = fieldsOf(head)
  if (new Set(names).size < names.length) throw new Error('two columns of one name')
  return lines.map(line => {
    const row = fieldsOf(line)
    if (row.length > names.length) throw new Error('more fields than columns')
    return Object.fromEntries(names.map((name, index) => [name, row[index] ?? '']))
  })
}

async function shop(): Promise<Affinity> {
  const affinity = createAffinity({
    name: 'web',
    backends: [
      { id: 'w1', url: 'http://10.0.0.1:8080', maxInFlight: 10 },
      { id: 'w2', url: 'https://[2001:db8::2]' },
      { id: 'w3', url: 'unix:///run/a,"b".sock', backup: true },
    ],
    secrets: SECRETS,
  })
  await visit(affinity)
  await visit(affinity, 503)
  await visit(affinity)
  affinity.pool.setState('w2', 'drain')
  affinity.pool.noteCheck('w1', { healthy: false, problem: 'status 500', durationMs: 12.4 })
  affinity.pool.setHealthy('w1', false)
  affinity.pool.noteCheck('w2', { healthy: true, problem: undefined, durationMs: 3 })
  return affinity
}

test('the columns stand where HAProxy has them', async () => {
  const names = fieldsOf(
    statsCsv([(await shop()).stats()])
      .split('\n')[0]
      ?.slice(2) ?? '',
  )
  expect(Object.fromEntries(Object.keys(POSITIONS).map(name => [name, names.indexOf(name)]))).toEqual(
    POSITIONS,
  )
  expect([names.length, names[0], names.at(-1)]).toEqual([101, 'pxname', ''])
})

test('Telegraf takes every row, with its tags and whole numbers', async () => {
  const rows = telegraf(statsCsv([(await shop()).stats()]))
  const types = rows.map(({ tags }) => [tags['proxy'], tags['sv'], tags['type']])
  expect(types).toEqual([
    ['web', 'FRONTEND', 'frontend'],
    ['web', 'w1', 'server'],
    ['web', 'w2', 'server'],
    ['web', 'w3', 'server'],
    ['web', 'BACKEND', 'backend'],
  ])
  expect(rows[0]?.fields).toMatchObject({ status: 'OPEN', req_tot: 3, scur: 0, hrsp_2xx: 2, hrsp_5xx: 1 })
  expect(rows[1]?.fields).toMatchObject({
    status: 'DOWN',
    stot: 2,
    slim: 10,
    chkfail: 1,
    chkdown: 1,
    check_status: 'L7STS',
    check_code: 500,
    check_duration: 12,
    last_chk: 'status 500',
    addr: '10.0.0.1:8080',
  })
  expect(rows[2]?.fields).toMatchObject({ status: 'DRAIN', stot: 1, lbtot: 1, check_status: 'L7OK' })
  expect(rows[3]?.fields).toMatchObject({ status: 'no check', bck: 1, act: 0, addr: '/run/a,"b".sock' })
  expect(rows[4]?.fields).toMatchObject({ status: 'UP', act: 1, bck: 1, stot: 3, weight: 2 })
})

test('Zabbix finds backends and servers by name', async () => {
  const rows = zabbix(statsCsv([(await shop()).stats()]))
  const servers = rows.filter(({ svname }) => svname !== 'FRONTEND' && svname !== 'BACKEND')
  expect(servers.map(row => [row['# pxname'], row['svname'], row['status']])).toEqual([
    ['web', 'w1', 'DOWN'],
    ['web', 'w2', 'DRAIN'],
    ['web', 'w3', 'no check'],
  ])
  expect(rows.find(({ svname }) => svname === 'BACKEND')).toMatchObject({
    act: '1',
    status: 'UP',
    hrsp_5xx: '1',
  })
})

test('the admin port serves it wherever its readers ask, with the token as a password', async () => {
  const token = 'a-token-of-the-tests-01'
  const gateway = await GatewayProcess.start(
    fileOf(await startBackends('w1', 'w2'), { admin: { listen: '127.0.0.1:0', token } }),
  )
  await gateway.browser().visit()
  const basic = { Authorization: `Basic ${Buffer.from(`telegraf:${token}`).toString('base64')}` }
  for (const path of ['/stats;csv', '/stats/;csv', '/;csv', '/stats.csv']) {
    const csv = await gateway.admin('GET', path, undefined, basic)
    const { text } = csv
    expect([csv.status, csv.header('content-type')]).toEqual([200, 'text/plain; charset=utf-8'])
    expect(telegraf(text).map(({ tags }) => tags['sv'])).toEqual(['FRONTEND', 'w1', 'w2', 'BACKEND'])
    expect(telegraf(text)[0]?.fields).toMatchObject({ req_tot: 1, hrsp_2xx: 1 })
  }
  const refused = await gateway.admin('GET', '/stats;csv', undefined, { Authorization: 'Basic bm9uZTpub25l' })
  expect([refused.status, refused.header('www-authenticate')]).toEqual([401, 'Bearer, Basic realm="limpet"'])
  const change = await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'maint' }, basic)
  expect(change.status).toBe(401)
})
