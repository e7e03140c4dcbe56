import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ConfigError } from '../config/config.ts'
import { problemText } from '../config/problem.ts'
import { PRESETS } from './presets.ts'
import { parseScenario, scenarioText } from './scenario-file.ts'

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run()
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(problemText)
  }
}

describe('a scenario', () => {
  test.each(Object.entries(PRESETS))('preset %s is good', (name, text) => {
    expect(parseScenario(text, 'x')).toMatchObject({ name, sessions: 30, rate: 100, redirects: 5 })
  })

  test('tells every problem with its path', () => {
    const text = `
target: ftp://shop
sessions: 0
colour: red
timeout: 1d
localAddresses: [nowhere]
backend: { header: A, json: b }
open:
  - post: /login
    form: { user: '{{user}}' }
    headers: { Cookie: a=b, 'bad name': x }
    capture: { session: { body: '(' } }
repeat:
  - { get: /a, post: /b }
  - get: /a
    json: {}
  - get: a
  - websocket: /chat
    json: {}
    expect: { status: 200 }
  - post: /file
    text: x
    upload: { size: 1000MiB }
    keep: true
  - get: /x
    expect: { header: { A: '[' }, status: 7xx }
    writes: '{{env.LIMPET_NOT_THERE}}'
`
    const problems = problemsOf(() => parseScenario(text, 'x'))
    const paths = problems.map(problem => problem.split(' ')[0])
    for (const path of [
      'target',
      'sessions',
      'colour',
      'timeout',
      'localAddresses[0]',
      'backend',
      'open[0].form.user',
      'open[0].headers.Cookie',
      'open[0].headers.bad',
      'open[0].capture.session',
      'open[0].capture.session.body',
      'repeat[2].get',
      'repeat[5].expect.status',
    ])
      expect(paths).toContain(path)
  })

  test('lists the invalid keys of a step', () => {
    const text = `
repeat:
  - { get: /a, post: /b }
  - { get: /a, json: {} }
  - { websocket: /chat, json: {}, expect: { status: 200 } }
  - { post: /file, text: x, upload: { size: 1000MiB }, keep: true }
  - { get: /x, expect: { header: { A: '[' } }, writes: '{{env.LIMPET_NOT_THERE}}' }
  - { get: '/{{later}}', timeout: 1d }
  - { get: /x, capture: { later: { header: A } }, writes: '{{later}}' }
`
    expect(problemsOf(() => parseScenario(text, 'x'))).toEqual([
      'repeat[0] takes exactly one of get, head, post, put, patch, delete, websocket',
      'repeat[1].json is a body, which a GET or HEAD request does not have',
      'repeat[2].json is for a request; a websocket step has send',
      'repeat[2].expect.status is for a request; a websocket step expects body, a pattern of its message',
      'repeat[3].keep is for a websocket step',
      'repeat[3] takes at most one of json, form, text, upload, send',
      'repeat[3].upload.size is too large; it takes at most 64MiB',
      expect.stringContaining('repeat[4].expect.header.A is no regular expression'),
      'repeat[4].writes has {{env.LIMPET_NOT_THERE}}, and the environment has no LIMPET_NOT_THERE',
      expect.stringContaining('repeat[5].get has {{later}}, which no step before it captures'),
      'repeat[5].timeout is too long; it takes at most 10m',
    ])
  })

  test.each([
    ['', 'is empty; it takes at least repeat'],
    ['# only words\n', 'is empty; it takes at least repeat'],
    ['repeat: [', 'line 1'],
    ['just a text', 'an object with repeat at least'],
    ['repeat: []', 'one at least'],
    ['\0\u0001\u0002', ''],
  ])('%j is refused', (text, problem) => {
    expect(problemsOf(() => parseScenario(text, 'x')).join('\n')).toContain(problem)
    expect(() => parseScenario(text, 'x')).toThrow(ConfigError)
  })

  test('is a file of at most 1 MiB', () => {
    const folder = mkdtempSync(join(tmpdir(), 'limpet-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'long.yaml')
    writeFileSync(file, '#'.repeat(1024 * 1024 + 1))
    expect(problemsOf(() => scenarioText(file))).toEqual(['is longer than 1 MiB'])
    expect(problemsOf(() => scenarioText(folder))).toEqual(['is no file'])
    expect(problemsOf(() => scenarioText('/dev/zero'))).toEqual(['is no file'])
    expect(problemsOf(() => scenarioText(join(folder, 'none')))).toEqual(['does not exist'])
  })
})
