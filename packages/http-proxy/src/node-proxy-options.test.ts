import { OptionError } from '@limpet/core'
import { describe, expect, it } from 'vitest'
import { type NodeProxyOptions, parseNodeProxyOptions } from './node-proxy-options.ts'

const POOL = { backends: [], affinity: [] }

function problemsOf(options: object): readonly string[] {
  try {
    parseNodeProxyOptions({ ...POOL, ...options })
  } catch (error) {
    if (error instanceof OptionError) return error.problems.map(({ option }) => option)
    throw error
  }
  throw new Error('was accepted')
}

describe('the options of adapters on http-proxy-middleware', () => {
  it('are absent without effect', () => {
    const { rewriting, filter, requestHeaders } = parseNodeProxyOptions(POOL)
    expect([filter, requestHeaders, rewriting.rewriteCookies]).toEqual([undefined, undefined, []])
  })

  it('may be undefined, each of them', () => {
    const options: NodeProxyOptions = { filter: undefined, on: { proxyReq: undefined }, headers: undefined }
    expect(parseNodeProxyOptions({ ...POOL, ...options }).filter).toBeUndefined()
  })

  it('are refused with every problem', () => {
    expect(
      problemsOf({
        filter: 1,
        pathRewrite: { '(': '', '^/a': 1 },
        headers: { 'X-A': '\0', Connection: 'close' },
        rewriteHeaders: {},
        cookieDomainRewrite: { 'old.example': 'a;b', '*': 7 },
        cookiePathRewrite: 5,
        hostRewrite: 'http://a',
        autoRewrite: 1,
        protocolRewrite: 'ftp',
        on: { start: () => undefined, proxyReq: 1, proxyres: 1 },
      }),
    ).toEqual([
      'filter',
      'pathRewrite',
      'pathRewrite.^/a',
      'headers.X-A',
      'headers.Connection',
      'rewriteHeaders',
      'cookieDomainRewrite.old.example',
      'cookieDomainRewrite.*',
      'cookiePathRewrite',
      'hostRewrite',
      'autoRewrite',
      'protocolRewrite',
      'on.start',
      'on.proxyres',
      'on.proxyReq',
    ])
  })

  it('are refused beside wrong options of the pool', () => {
    expect(problemsOf({ maxAttempts: 0, filter: 1 })).toEqual(['maxAttempts', 'filter'])
  })

  it('let headers count less than requestHeaders', () => {
    const { requestHeaders } = parseNodeProxyOptions({
      ...POOL,
      headers: { 'X-A': '1', 'X-B': '1' },
      requestHeaders: { set: { 'x-a': '2' } },
    })
    expect([...(requestHeaders?.set ?? [])]).toEqual([
      ['x-a', ['x-a', '2']],
      ['x-b', ['X-B', '1']],
    ])
  })
})
