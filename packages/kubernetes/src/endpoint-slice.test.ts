import { describe, expect, it } from 'vitest'
import { parseSlice } from './endpoint-slice.ts'

function parsed(fields: object): ReturnType<typeof parseSlice> {
  return parseSlice({ metadata: { name: 'shop-x' }, addressType: 'IPv4', ...fields })
}

describe('an EndpointSlice', () => {
  it.each([
    ['without metadata', {}],
    ['with metadata that are none', { metadata: [] }],
    ['without a name', { metadata: {}, addressType: 'IPv4' }],
    ['without an address type', { metadata: { name: 'a' } }],
    ['with endpoints that are no list', { metadata: { name: 'a' }, addressType: 'IPv4', endpoints: {} }],
    ['with ports that are no list', { metadata: { name: 'a' }, addressType: 'IPv4', ports: 'http' }],
  ])('%s is none', (_, value) => {
    expect(() => parseSlice(value)).toThrow(/^the API server has sent/)
  })

  it('may have no endpoints and no ports', () => {
    expect(parsed({ endpoints: null })).toEqual({
      name: 'shop-x',
      addressType: 'IPv4',
      ports: [],
      endpoints: [],
    })
  })

  it('has the ports of TCP, of which one has no protocol, no name or no number', () => {
    const ports = [
      { port: 80 },
      { name: 'web', port: 8080, protocol: 'TCP' },
      { name: 'all', port: null },
      { name: 'dns', port: 53, protocol: 'UDP' },
      ...[0, 65_536, 1.5, '80'].map(port => ({ name: 'wrong', port })),
      'port',
    ]
    expect(parsed({ ports }).ports).toEqual([
      { name: '', port: 80 },
      { name: 'web', port: 8080 },
      { name: 'all', port: undefined },
    ])
  })
})

describe('an endpoint', () => {
  it.each([
    ['IPv4', '10.0.0.1', 1],
    ['IPv4', 'fd00::1', 0],
    ['IPv6', 'fd00::1', 1],
    ['IPv6', '10.0.0.1', 0],
    ['FQDN', 'a.test', 0],
    ['IPv4', '10.0.0.1/metadata', 0],
  ])('of the type %s may have the address %s: %d', (addressType, address, count) => {
    expect(parsed({ addressType, endpoints: [{ addresses: [address, 'x'] }] }).endpoints).toHaveLength(count)
  })

  it.each([
    [undefined, true, false],
    [{ ready: false }, false, false],
    [{ ready: false, serving: true, terminating: true }, true, true],
    [{ ready: true, serving: false }, false, false],
    [{ ready: null, serving: null }, true, false],
    [{ terminating: 'true' }, true, false],
  ])('with the conditions %j serves: %s, terminates: %s', (conditions, serving, terminating) => {
    const [endpoint] = parsed({ endpoints: [{ addresses: ['10.0.0.1'], conditions }] }).endpoints
    expect(endpoint).toMatchObject({ serving, terminating })
  })

  it.each([
    [
      { kind: 'Pod', name: 'shop-0', uid: 'u' },
      { name: 'shop-0', uid: 'u' },
    ],
    [
      { kind: 'Pod', name: 'shop-0' },
      { name: 'shop-0', uid: '' },
    ],
    [{ kind: 'Node', name: 'n' }, undefined],
    [{ kind: 'Pod', name: 7 }, undefined],
    [null, undefined],
  ])('of %j is the pod %j', (targetRef, pod) => {
    expect(parsed({ endpoints: [{ addresses: ['10.0.0.1'], targetRef }] }).endpoints[0]?.pod).toEqual(pod)
  })
})
