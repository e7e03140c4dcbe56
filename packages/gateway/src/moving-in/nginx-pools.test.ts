import { expect, it } from 'vitest'
import { Draft } from './draft.ts'
import { NginxPools, targetOf } from './nginx-pools.ts'
import { Report } from './report.ts'
import type { Statement } from './statement.ts'

it.each([
  ['http://app', { scheme: 'http', name: 'app', uri: '' }],
  ['HTTPS://app:8443/x/', { scheme: 'https', name: 'app:8443', uri: '/x/' }],
  ['http://unix:/run/a.sock:/x', { scheme: 'http', name: 'unix:/run/a.sock', uri: '/x' }],
  ['http://$backend', undefined],
  ['grpc://app', undefined],
  ['app', undefined],
])('proxy_pass %s has the target %j', (text, target) => {
  expect(targetOf(text)).toEqual(target)
})

it('makes one pool of each upstream and scheme, and of each address', () => {
  const upstream: Statement = {
    name: 'upstream',
    args: ['app'],
    line: 1,
    block: [{ name: 'server', args: ['10.0.0.1:80'], line: 2 }],
  }
  const draft = new Draft()
  const report = new Report()
  const pools = new NginxPools([upstream], draft, report)
  const pass = { name: 'proxy_pass', args: [], line: 9 }
  const found = ['http://app', 'http://app/x', 'https://app', 'http://10.0.0.2', 'http://a:b'].map(text => {
    const target = targetOf(text)
    return target && pools.of(target, pass)?.name
  })
  expect(found).toEqual(['app', 'app', 'app-2', '10_0_0_2-80', undefined])
  expect(draft.pools.map(({ origin }) => origin)).toEqual([
    'nginx: upstream, line 1',
    'nginx: upstream, line 1',
    'nginx: proxy_pass, line 9',
  ])
  expect(report.findings).toMatchObject([{ kind: 'lost', why: 'its address is not host:port' }])
})
