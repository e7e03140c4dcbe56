import { describe, expect, it } from 'vitest'
import { ConfigError } from './config.ts'
import { parseConfig } from './config-file.ts'

type Routes = readonly { readonly host?: string; readonly path?: string; readonly pool: string }[]

/** The problems of a file with these routes, and these cookies of its pools. */
function problemsOf(routes: Routes, cookies: Readonly<Record<string, object>>): readonly string[] {
  const pools = Object.fromEntries(
    Object.entries(cookies).map(([name, cookie]) => [
      name,
      { backends: [{ id: 'w1', url: 'http://127.0.0.1:1' }], affinity: [{ cookie }] },
    ]),
  )
  const text = JSON.stringify({ secrets: ['0123456789abcdef0123456789abcdef'], routes, pools })
  try {
    parseConfig({ file: 'limpet.yaml', text, adapter: undefined, kept: undefined })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ path, text: problem }) => `${path} ${problem}`)
  }
}

const web = { host: 'web.test', pool: 'web' }
const api = { host: 'api.test', pool: 'api' }

describe('two pools with one cookie [LB213]', () => {
  it.each<readonly [string, Routes]>([
    ['on paths of all hosts', [{ pool: 'web' }, { path: '/api', pool: 'api' }]],
    ['on paths of one host', [web, { ...api, host: 'web.test', path: '/api' }]],
    ['where one has a path of a host, and one has all hosts', [{ ...api, path: '/api' }, { pool: 'web' }]],
    ['where one has a path of a pattern', [{ pool: 'web' }, { host: '*.test', path: '/a', pool: 'api' }]],
    [
      'where one has a path below a pattern',
      [
        { host: 'a.b.test', path: '/x', pool: 'api' },
        { host: '*.test', pool: 'web' },
      ],
    ],
  ])('are a problem %s', (_where, routes) => {
    expect(problemsOf(routes, { web: {}, api: {} })).toEqual([
      expect.stringMatching(/^pools\.api\.affinity writes a cookie that pools\.web writes for /),
    ])
  })

  it.each<readonly [string, Routes]>([
    ['on hosts of their own', [web, api]],
    ['where one has all of a host, and one has all other hosts', [web, { pool: 'api' }]],
    ['where one has a host of the pattern of the other', [web, { host: '*.test', pool: 'api' }]],
  ])('are none %s', (_where, routes) => {
    expect(problemsOf(routes, { web: {}, api: {} })).toEqual([])
  })

  it('are none where the names or the paths differ', () => {
    const routes = [{ pool: 'web' }, { path: '/api', pool: 'api' }]
    expect(problemsOf(routes, { web: {}, api: { name: 'API' } })).toEqual([])
    const [shop, both] = [
      { path: '/shop', pool: 'web' },
      { path: '/api', pool: 'api' },
    ]
    expect(problemsOf([shop, both], { web: { path: '/shop' }, api: { path: '/api' } })).toEqual([])
  })

  it.each<readonly [string, object, object, boolean]>([
    ['the same', { domain: 'example.com' }, { domain: '.example.com' }, true],
    ['one below the other', { domain: 'example.com' }, { domain: 'b.example.com' }, true],
    ['different', { domain: 'a.example.com' }, { domain: 'b.example.com' }, false],
    ['the host alone', { domain: 'example.com' }, {}, false],
    [
      'the same, with paths of their own',
      { domain: 'a.test', path: '/a' },
      { domain: 'a.test', path: '/b' },
      false,
    ],
  ])('on two hosts are a problem where their domains are %s', (_, first, second, isProblem) => {
    const problems = problemsOf([web, api], { web: first, api: second })
    const text =
      'pools.api.affinity writes a cookie that pools.web writes for hosts of the same cookie.domain'
    expect(problems.map(problem => problem.startsWith(text))).toEqual(isProblem ? [true] : [])
  })

  it('are named without the name of the cookie', () => {
    const name = 'nobody-is-to-see-this'
    const routes = [{ pool: 'web' }, { path: '/api', pool: 'api' }]
    expect(problemsOf(routes, { web: { name }, api: { name } }).join()).not.toContain(name)
  })
})
