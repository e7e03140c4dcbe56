import { describe, expect, it } from 'vitest'
import type { Client } from './client.ts'
import type { HeaderFields, RequestHead } from '../head.ts'
import { appendForwarded, isForwardingField } from './forwarded.ts'

function request(headers: HeaderFields, facts: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: [],
    headers,
    remoteAddress: '10.0.0.1',
    localPort: 8080,
    encrypted: false,
    hasBody: false,
    ...facts,
  }
}

/** The lines that are appended, as `Name: value`. */
function told(head: RequestHead, client: Partial<Client> = {}): string[] {
  const lines = ['Host', 'web.test']
  appendForwarded(lines, head, { address: '203.0.113.9', isSecure: false, isProxied: false, ...client })
  const [host, name, ...rest] = lines
  expect([host, name]).toEqual(['Host', 'web.test'])
  return rest.flatMap((field, index) => (index % 2 === 0 ? [`${field}: ${rest[index + 1]}`] : []))
}

const LIES = {
  host: 'web.test',
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'www.test',
  'x-forwarded-port': '443',
  'x-real-ip': '1.1.1.1',
  forwarded: 'for=203.0.113.9',
}

describe('forwarding fields for a direct client', () => {
  it('come from the socket, and not from the client [T-22]', () => {
    expect(told(request(LIES))).toEqual([
      'X-Forwarded-For: 10.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: web.test',
      'X-Forwarded-Port: 8080',
      'X-Real-IP: 10.0.0.1',
    ])
  })

  it('that it came by TLS', () => {
    expect(told(request(LIES), { isSecure: true })).toContain('X-Forwarded-Proto: https')
  })

  it('its address in the plain spelling', () => {
    expect(told(request({}, { remoteAddress: '::ffff:192.0.2.1' }))).toContain('X-Forwarded-For: 192.0.2.1')
  })

  it('no more than is known', () => {
    const head = request({}, { remoteAddress: undefined, localPort: undefined })
    expect(told(head)).toEqual(['X-Forwarded-Proto: http'])
  })

  it('the host that HTTP/2 has in place of Host', () => {
    expect(told(request({ ':authority': 'h2.test' }))).toContain('X-Forwarded-Host: h2.test')
  })
})

describe('forwarding fields for a client behind a trusted proxy', () => {
  const proxied = { isProxied: true, isSecure: true }

  it('come from the proxy, with its own address [T-22]', () => {
    expect(told(request(LIES), proxied)).toEqual([
      'X-Forwarded-For: 203.0.113.9, 10.0.0.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: www.test',
      'X-Forwarded-Port: 443',
      'X-Real-IP: 203.0.113.9',
      'Forwarded: for=203.0.113.9, for=10.0.0.1;proto=https',
    ])
  })

  it('the proxy and the Host when it says nothing', () => {
    expect(told(request({ host: 'web.test' }), { ...proxied, isSecure: false })).toEqual([
      'X-Forwarded-For: 10.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: web.test',
      'X-Real-IP: 203.0.113.9',
    ])
  })

  it.each(['', '80, 443', 'x', '123456', '-1'])('no port when it says %j', port => {
    const lines = told(request({ 'x-forwarded-port': port }), proxied)
    expect(lines.filter(line => line.startsWith('X-Forwarded-Port'))).toEqual([])
  })

  it('one line of several', () => {
    const headers = { 'x-forwarded-for': ['1.1.1.1', '2.2.2.2'], forwarded: ['for=a', 'for=b'] }
    const lines = told(request(headers), proxied)
    expect(lines).toContain('X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.1')
    expect(lines).toContain('Forwarded: for=a, for=b, for=10.0.0.1;proto=https')
  })

  it.each([
    ['2001:db8::1', 'for="[2001:db8::1]"'],
    ['::ffff:10.0.0.9', 'for=10.0.0.9'],
    [undefined, 'for=unknown'],
  ])('a proxy at %s as %s', (remoteAddress, expected) => {
    const lines = told(request({ forwarded: 'for=x' }, { remoteAddress }), proxied)
    expect(lines.at(-1)).toBe(`Forwarded: for=x, ${expected};proto=https`)
  })
})

describe('a field that only this gateway may write', () => {
  it.each([
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-anything',
    'x-real-ip',
    'forwarded',
    'x_forwarded_for',
    'x-forwarded_host',
    'x_real_ip',
  ])('is %s [T-22]', name => {
    expect(isForwardingField(name)).toBe(true)
  })

  it.each(['x-forwarded', 'x-forwardedfor', 'forwarded-for', 'x-real-ip-2', 'via', 'x_custom', ''])(
    'is not %s',
    name => {
      expect(isForwardingField(name)).toBe(false)
    },
  )
})
