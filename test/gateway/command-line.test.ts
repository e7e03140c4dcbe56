import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { VERBS } from '../../packages/gateway/dist/cli/verbs.js'
import { startBackend } from '../support/backend.ts'
import { freePort } from '../support/free-port.ts'
import { GATEWAY_PROGRAM } from '../support/gateway-process.ts'
import { ask } from '../support/http-client.ts'
import { limpetHere } from '../support/limpet-command.ts'

const SECRET = 'a-secret-of-the-tests-0123456789abcdef'

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'limpet-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Runs the command to its end. @param input of its standard input */
function limpet(cwd: string, args: readonly string[], input = ''): Ended {
  const environment = { ...process.env, LIMPET_SECRET: '' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [GATEWAY_PROGRAM, ...args], {
    cwd,
    input,
    env: environment,
    encoding: 'utf8',
    timeout: 100_000,
  })
  return { code: status, out: stdout, error: stderr }
}

/** Starts the command until it prints a line that contains `text`. */
async function start(cwd: string, args: readonly string[], text: string): Promise<readonly string[]> {
  const child = spawn(process.execPath, [GATEWAY_PROGRAM, ...args], {
    cwd,
    env: { ...process.env, LIMPET_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const lines: string[] = []
  const reader = createInterface(child.stdout).on('line', line => lines.push(line))
  await Promise.race([
    exited.then(() => {
      throw new Error(`ended: ${lines.join('\n')}`)
    }),
    (async () => {
      while (!lines.some(line => line.includes(text))) await once(reader, 'line')
    })(),
  ])
  return lines
}

describe('flags', () => {
  test.each<[readonly string[], string]>([
    [['--confg', 'a'], '--confg is not known; did you mean --config?'],
    [['--prety'], '--prety is not known; did you mean --pretty?'],
    [['chekc'], 'there is no command chekc; did you mean check?'],
    [['inti'], 'there is no command inti; did you mean init?'],
    [['--adapter', 'fastfy'], '--adapter got "fastfy"; did you mean fastify?'],
    [['proxy'], '--to is missing, as --to 127.0.0.1:3001,127.0.0.1:3002'],
    [['proxy', '--to', 'ftp://a'], '--to takes backends as host:port'],
    [['proxy', '--to', '1', '--from', 'nowhere'], '--from takes an address and a port'],
    [['proxy', '--to', '1', '--config', 'a'], 'limpet proxy takes no --config'],
    [['--to', '1'], '--from and --to are flags of limpet proxy'],
    [['--without-secrets'], '--without-secrets is a flag of limpet check'],
    [
      [],
      'there is no limpet.yaml in this folder; --config FILE names another one, and limpet init writes one',
    ],
    [['check'], 'there is no limpet.yaml in this folder'],
    [['check', 'a.yaml', 'b.yaml'], 'there is no command check a.yaml b.yaml'],
    [['check', 'a.yaml', '--config', 'b.yaml'], 'limpet check takes one file: behind check, or of --config'],
    [['schema', 'a.yaml'], 'there is no command schema a.yaml'],
  ])('%j are refused', async (args, message) => {
    const { code, error } = await limpetHere(args, folder())
    expect([code, error]).toEqual([1, expect.stringContaining(`limpet: ${message}`)])
  })
})

describe('--help', () => {
  test.each([[], ...[...VERBS.keys()].map(verb => [verb])])('%s fits into 80 columns', async (...verb) => {
    const { code, out } = await limpetHere([...verb, '--help'])
    expect(code).toBe(0)
    expect(out.split('\n').filter(line => line.length > 80)).toEqual([])
  })
})

describe('a file', () => {
  test('named limpet.yaml is found in the current folder', async () => {
    const cwd = folder()
    const w1 = await startBackend('w1')
    const port = await freePort()
    const pools = { web: { backends: [w1.options] } }
    writeFileSync(join(cwd, 'limpet.yaml'), JSON.stringify({ listen: `127.0.0.1:${port}`, pools }))
    expect(limpet(cwd, ['check'])).toMatchObject({ code: 0, out: 'limpet.yaml is good: 1 pool, 1 route\n' })
    expect(limpet(folder(), ['check', join(cwd, 'limpet.yaml')])).toMatchObject({
      code: 0,
      out: `${join(cwd, 'limpet.yaml')} is good: 1 pool, 1 route\n`,
    })
    await start(cwd, [], '"listening"')
    expect((await ask(port)).status).toBe(200)
  })

  test('is checked without its secrets when that is asked for', () => {
    const cwd = folder()
    const pools = {
      web: { backends: [{ id: 'a', url: 'http://127.0.0.1:1' }], affinity: [{ cookie: {} }], health: {} },
    }
    writeFileSync(join(cwd, 'limpet.yaml'), JSON.stringify({ secrets: ['env:LIMPET_SECRET'], pools }))
    expect(limpet(cwd, ['check'])).toMatchObject({
      code: 1,
      error: expect.stringContaining(
        'secrets[0] the environment has no LIMPET_SECRET; make one with: node -p "',
      ) as string,
    })
    const { code, error } = limpet(cwd, ['check', '--without-secrets'])
    expect([code, error.trimEnd().split('\n')]).toEqual([
      0,
      [
        expect.stringMatching(
          /^limpet\.yaml: secrets\[0\] the environment has no LIMPET_SECRET; make one with: node -p "/,
        ),
        expect.stringMatching(/^limpet\.yaml: pools\.web\.health asks for \/ and expects 2xx: /),
      ],
    ])
  })
})

describe('limpet proxy', () => {
  test('keeps sessions without a file, and logs a line for each request', async () => {
    const [w1, w2] = [await startBackend('w1'), await startBackend('w2')]
    const port = await freePort()
    const addresses = [w1, w2].map(({ options: { url } }) => String(url).replace('http://', '')).join(',')
    const lines = await start(
      folder(),
      ['proxy', '--from', String(port), '--to', addresses, '--pretty'],
      'listening',
    )
    const first = await ask(port)
    const [cookie = ''] = (first.cookies()[0] ?? '').split(';')
    for (let visit = 0; visit < 4; visit += 1)
      expect((await ask(port, { headers: { Cookie: cookie } })).echo.id).toBe(first.echo.id)
    await expect
      .poll(() => lines.filter(line => / 200 GET 127\.0\.0\.1:\d+\/ -> web\/s[12] \(/.test(line)))
      .toHaveLength(5)
  })
})

describe('limpet init', () => {
  const flags = ['--listen', '127.0.0.1:0', '--to', '127.0.0.1:3001,127.0.0.1:3002']

  test.each([
    ['cookie', 'affinity:', []],
    ['learn', 'learn: { cookie: JSESSIONID', ['--cookie', 'JSESSIONID']],
    ['address', 'hash: ip', []],
    ['none', 'least-requests', ['--health', 'none']],
  ])('writes a file with sessions by %s that limpet check accepts', async (method, part, more) => {
    const cwd = folder()
    const init = await limpetHere(['init', '--yes', ...flags, '--sessions', method, ...more], cwd)
    expect(init).toMatchObject({ code: 0, error: '' })
    expect(readFileSync(join(cwd, 'limpet.yaml'), 'utf8')).toContain(part)
    expect(await limpetHere(['check', '--without-secrets'], cwd)).toMatchObject({ code: 0 })
  })

  test('asks four questions', () => {
    const cwd = folder()
    const answers = '127.0.0.1:9000\n10.0.0.1:80,10.0.0.2:80\n\n/up\n'
    const { code, out } = limpet(cwd, ['init'], answers)
    expect([code, out.match(/\[[^\]]*\]: /g)?.length]).toEqual([0, 4])
    const text = readFileSync(join(cwd, 'limpet.yaml'), 'utf8')
    for (const part of ["listen: '127.0.0.1:9000'", "url: 'http://10.0.0.2:80'", 'SERVERID', "path: '/up'"])
      expect(text).toContain(part)
  })

  test('says how to make the secret of a new file, so that limpet check accepts it', () => {
    const cwd = folder()
    const { out } = limpet(cwd, ['init', '--yes'])
    const [, line = ''] = /^Make its secret, and keep it: (.*)$/m.exec(out) ?? []
    const secret = execFileSync('sh', ['-c', `${line} && printf %s "$LIMPET_SECRET"`], { encoding: 'utf8' })
    writeFileSync(join(cwd, 'secret'), secret)
    const file = join(cwd, 'limpet.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('env:LIMPET_SECRET', 'file:secret'))
    expect(limpet(cwd, ['check'])).toMatchObject({ code: 0 })
    expect(limpet(folder(), ['init', '--yes', '--sessions', 'none']).out).not.toContain('secret')
  })

  test('takes the defaults where the input ends', () => {
    const cwd = folder()
    expect(limpet(cwd, ['init'])).toMatchObject({ code: 0 })
    expect(readFileSync(join(cwd, 'limpet.yaml'), 'utf8')).toContain("listen: '127.0.0.1:8080'")
  })

  test('overwrites a file only with --force', () => {
    const cwd = folder()
    const file = join(cwd, 'limpet.yaml')
    writeFileSync(file, 'mine')
    expect(limpet(cwd, ['init', '--yes'])).toMatchObject({
      code: 1,
      error: 'limpet init: limpet.yaml exists; --force overwrites it\n',
    })
    expect(readFileSync(file, 'utf8')).toBe('mine')
    expect(limpet(cwd, ['init', '--yes', '--force'])).toMatchObject({ code: 0 })
    expect(readFileSync(file, 'utf8')).not.toBe('mine')
  })

  test.each<[readonly string[], string]>([
    [['--sessions', 'cookies'], '--sessions takes another word; did you mean cookie?'],
    [['--to', ','], '--to takes backends'],
    [['--to', 'a b'], '--to takes backends'],
    [['--to', 'http://u:p@a'], '--to takes backends'],
    [['--listen', 'here'], '--listen takes an address and a port'],
    [['--listen', '127.0.0.1:70000'], 'the answers do not fit: listen got the port 70000'],
    [['--health', 'up'], '--health takes a path that begins with /, or none'],
    [['--sessions', 'learn', '--cookie', 'a b'], '--cookie takes the name of a cookie'],
    [['--froce'], '--froce is not known; did you mean --force?'],
    [['more'], 'a word is not known'],
    [['--out', 'no/where.yaml'], 'no/where.yaml cannot be written (ENOENT)'],
  ])('refuses %j and writes nothing', async (args, message) => {
    const cwd = folder()
    const { code, error } = await limpetHere(['init', '--yes', ...args], cwd)
    expect([code, error]).toEqual([1, expect.stringContaining(`limpet init: ${message}`)])
    expect(existsSync(join(cwd, 'limpet.yaml'))).toBe(false)
  })
})
