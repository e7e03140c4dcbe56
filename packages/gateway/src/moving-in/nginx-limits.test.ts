import { expect, it } from 'vitest'
import { Draft } from './draft.ts'
import { nginxLimits, nginxProcess } from './nginx-limits.ts'
import { readNginx } from './nginx-reader.ts'
import { Scope } from './nginx-scope.ts'
import { Report } from './report.ts'

function limitsOf(text: string) {
  const report = new Report()
  const { limits } = new Draft()
  nginxLimits(new Scope(readNginx(text), report), limits, report)
  return { limits, isComplete: report.isComplete }
}

it('takes the times and the sizes of clients', () => {
  const text =
    'keepalive_timeout 75s; client_header_timeout 1m; send_timeout 60; large_client_header_buffers 4 8k;'
  expect(limitsOf(text)).toEqual({
    limits: { keepAlive: '75s', headersTimeout: '1m', sendTimeout: '1m', headers: '32KiB' },
    isComplete: true,
  })
  expect(limitsOf('')).toEqual({ limits: {}, isComplete: true })
})

it.each([
  ['4 8k', '32KiB'],
  ['4 8192', '32KiB'],
  ['2 1m', '2048KiB'],
])('makes of buffers of %s a head of %s', (size, headers) => {
  expect(limitsOf(`large_client_header_buffers ${size};`)).toEqual({ limits: { headers }, isComplete: true })
})

it.each(['4 8m', '4 8000k', '4 8', '0 8k', 'x 8k', '4 x'])(
  'reports buffers of %s, which no head of limpet has',
  size => {
    expect(limitsOf(`large_client_header_buffers ${size};`)).toEqual({ limits: {}, isComplete: false })
  },
)

it('takes what holds for the whole process', () => {
  const draftOf = (text: string): Draft => {
    const draft = new Draft()
    nginxProcess(new Scope(readNginx(text), new Report()), draft)
    return draft
  }
  const text =
    'worker_processes 4; worker_connections 1024; set_real_ip_from 10.0.0.0/8; set_real_ip_from unix:;'
  const { workers, limits, trustProxy } = draftOf(text)
  expect([workers, limits.connections, trustProxy]).toEqual([4, 1_024, ['10.0.0.0/8']])
  expect(['auto', '1', 'x'].map(count => draftOf(`worker_processes ${count};`).workers)).toEqual([
    'auto',
    undefined,
    undefined,
  ])
})
