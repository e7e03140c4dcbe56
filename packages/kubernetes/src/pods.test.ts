import { describe, expect, it } from 'vitest'
import type { EndpointSlice, SliceEndpoint } from './endpoint-slice.ts'
import { type KubernetesOptions, parseKubernetes } from './kubernetes-options.ts'
import { Pods } from './pods.ts'

function pod(
  name: string,
  address: string,
  facts: Partial<SliceEndpoint> & { uid?: string } = {},
): SliceEndpoint {
  const { uid = name, ...more } = facts
  return { address, pod: { name, uid }, serving: true, terminating: false, ...more }
}

function slice(endpoints: readonly SliceEndpoint[], facts: Partial<EndpointSlice> = {}): EndpointSlice {
  return { name: 'shop-x', addressType: 'IPv4', ports: [{ name: 'web', port: 8080 }], endpoints, ...facts }
}

function podsOf(slices: readonly EndpointSlice[], options: Partial<KubernetesOptions> = {}) {
  return new Pods(parseKubernetes('kubernetes', { service: 'shop', ...options })).of(slices)
}

describe('the backends of pods', () => {
  it.each([
    [true, false, { state: 'ready', healthy: true }],
    [false, false, { state: 'ready', healthy: false }],
    [true, true, { state: 'drain', healthy: true }],
    [false, true, { state: 'maint', healthy: false }],
  ])('that serve: %s, and terminate: %s, are %j', (serving, terminating, state) => {
    const { backends, problems } = podsOf([slice([pod('w1', '10.0.0.1', { serving, terminating })])])
    expect([backends, problems]).toEqual([[{ id: 'w1', url: 'http://10.0.0.1:8080', ...state }], []])
  })

  it('have the deadline of a drain, the protocol and the family of addresses that the options say', () => {
    const slices = [
      slice([pod('w1', '10.0.0.1')]),
      slice([pod('w1', 'fd00::1', { terminating: true })], { addressType: 'IPv6' }),
    ]
    expect(podsOf(slices).backends).toMatchObject([{ url: 'http://10.0.0.1:8080' }])
    const options = { addressType: 'IPv6', protocol: 'https', drainDeadline: '5m' } as const
    expect(podsOf(slices, options).backends).toEqual([
      { id: 'w1', url: 'https://[fd00::1]:8080', state: 'drain', healthy: true, drainDeadlineMs: 300_000 },
    ])
  })

  it('are in the order of their ids, and without a pod the address is the name', () => {
    const { backends } = podsOf([
      slice([pod('w2', '10.0.0.2'), { ...pod('', '10.0.0.9'), pod: undefined }, pod('w1', '10.0.0.1')]),
    ])
    expect(backends.map(({ id }) => id)).toEqual(['10_0_0_9-8080', 'w1', 'w2'])
  })

  it('in two slices serve if one says so, and terminate if one says so', () => {
    const { backends } = podsOf([
      slice([pod('w1', '10.0.0.1', { serving: false })]),
      slice([pod('w1', '10.0.0.1', { terminating: true })]),
    ])
    expect(backends).toMatchObject([{ id: 'w1', state: 'drain', healthy: true }])
  })

  it.each([false, true])('made anew under an old name take its place; the new one first: %s', isFirst => {
    const slices = [
      slice([pod('w1', '10.0.0.1', { uid: 'old', terminating: true })]),
      slice([pod('w1', '10.0.0.2', { uid: 'new' })]),
    ]
    expect(podsOf(isFirst ? slices.toReversed() : slices).backends).toMatchObject([
      { url: 'http://10.0.0.2:8080', state: 'ready' },
    ])
  })
})

describe('the port of a slice', () => {
  const [web, admin, all] = [
    { name: 'web', port: 8080 },
    { name: 'admin', port: 9090 },
    { name: 'all', port: undefined },
  ]

  it.each([
    [undefined, [web], '8080'],
    ['admin', [web, admin], '9090'],
    [9090, [web, admin], '9090'],
    [1234, [all], '1234'],
    [1234, [], '1234'],
  ])('for the option %j and the ports %j is %s', (port, ports, found) => {
    const { backends } = podsOf([slice([pod('w1', '10.0.0.1')], { ports })], { ...(port && { port }) })
    expect(backends.map(({ url }) => String(url))).toEqual([`http://10.0.0.1:${found}`])
  })

  it.each([
    [undefined, [web, admin], 'several ports; it takes one of web, admin as option port'],
    [undefined, [], "no TCP port; it takes the number of the pods' port as option port"],
    ['other', [web], 'no port other of TCP; they have web'],
    [1234, [{ name: '', port: 80 }], 'no port 1234 of TCP; they have 80'],
  ])('for the option %j and the ports %j is missing: %s', (port, ports, problem) => {
    const { backends, problems } = podsOf([slice([pod('w1', '10.0.0.1')], { ports })], {
      ...(port && { port }),
    })
    expect([backends, problems]).toEqual([[], [`slices are skipped that have ${problem} (shop-x)`]])
  })
})

it('tells which slices and pods are left out', () => {
  const long = 'x'.repeat(65)
  const { backends, problems } = podsOf([
    slice([pod(long, '10.0.0.1'), pod('a.b', '10.0.0.2')]),
    slice([], { addressType: 'FQDN', name: 'shop-f' }),
    slice([], { ports: [], name: 'empty' }),
  ])
  expect(backends).toEqual([])
  expect(problems).toEqual([
    `pods are skipped whose names are no ids; it takes 1 to 64 of A-Z a-z 0-9 _ - (${long}, a.b)`,
    'slices of the address type FQDN are skipped; it takes IPv4 or IPv6 (shop-f)',
  ])
  expect(podsOf([]).problems).toEqual([
    'there is no EndpointSlice of the service shop; it takes a Service with a selector',
  ])
})
