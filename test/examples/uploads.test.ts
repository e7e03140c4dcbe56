import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Browser } from '../support/browser.ts'
import { ask } from '../support/http-client.ts'
import { type RunningExample, runExample } from '../support/running-example.ts'

/** `examples/uploads`: the parts of a file in the memory of one backend, so they all have to come there. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const KIB = 1024

async function uploads(): Promise<RunningExample> {
  return runExample('examples/uploads/start.ts')
}

interface File {
  readonly path: string
  readonly bytes: Buffer
  readonly sha256: string
}

function newFile(length: number): File {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-upload-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'file')
  const bytes = randomBytes(length)
  writeFileSync(path, bytes)
  return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function shell(line: string): Promise<Ended> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const env = { PATH: `${dirname(process.execPath)}:${PATH}`, NODE_COMPILE_CACHE }
  return new Promise(resolve => {
    execFile('sh', ['-c', line], { cwd: ROOT, env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

async function client(port: number, { path }: File, ...options: readonly string[]): Promise<Ended> {
  const url = `http://127.0.0.1:${port}/uploads`
  return shell(['node examples/uploads/client.ts', url, path, ...options].join(' '))
}

/** How many uploads each backend has begun. */
async function begun({ backends }: RunningExample): Promise<readonly number[]> {
  const answers = await Promise.all(backends.map(async ({ port }) => ask(port)))
  return answers.map(({ text }) => (JSON.parse(text) as { uploads: number }).uploads)
}

/** Where it went on, and what both sides made of the file. */
function said({ out }: Ended): { from: number; parts: number; sums: readonly string[]; at: string } {
  return {
    from: Number(/^goes on at (\d+)$/m.exec(out)?.[1] ?? 0),
    parts: out.match(/ of \d+ bytes$/gm)?.length ?? 0,
    sums: [...out.matchAll(/^([\da-f]{64}) {2}/gm)].map(([, sum = '']) => sum),
    at: /^[\da-f]{64} {2}at (\w+)$/m.exec(out)?.[1] ?? '',
  }
}

describe('an upload', () => {
  test('whose parts all come to one of three backends is complete, byte for byte', async () => {
    const running = await uploads()
    const file = newFile(5 * 256 * KIB + 17)
    const ended = await client(running.port, file)
    expect([ended.code, ended.err]).toEqual([0, ''])
    expect(said(ended)).toMatchObject({ from: 0, parts: 6, sums: [file.sha256, file.sha256] })
    expect(await begun(running)).toEqual([1, 0, 0])
    expect(existsSync(`${file.path}.upload`)).toBe(false)
  })

  test('that is interrupted goes on where it was', async () => {
    const running = await uploads()
    const file = newFile(6 * 256 * KIB + 17)
    const broken = await client(running.port, file, '--break')
    expect([broken.code, broken.err]).toEqual([1, 'interrupted; the same line without --break goes on\n'])
    expect(said(broken)).toMatchObject({ parts: 2, sums: [] })
    // Another client comes in between.
    await ask(running.port, { path: '/uploads' })
    const resumed = await client(running.port, file)
    expect([resumed.code, resumed.err]).toEqual([0, ''])
    const { from, sums } = said(resumed)
    expect(from).toBeGreaterThanOrEqual(2 * 256 * KIB)
    expect(from).toBeLessThan(3 * 256 * KIB)
    expect(sums).toEqual([file.sha256, file.sha256])
    expect(await begun(running)).toEqual([1, 0, 0])
  })

  test('keeps the half of a part that came, and takes the rest from there', async () => {
    const { port } = await uploads()
    const { bytes, sha256 } = newFile(300 * KIB)
    const browser = new Browser(port)
    const start = await browser.ask({
      method: 'POST',
      path: '/uploads',
      headers: { 'Upload-Length': bytes.length },
    })
    expect(start.status).toBe(201)
    const path = start.header('location') ?? ''
    const half = request({
      port,
      path: `${path}?offset=0`,
      method: 'PUT',
      headers: { Cookie: browser.cookieHeader, 'Content-Length': bytes.length },
    })
    const left = Promise.withResolvers<void>()
    half.on('error', () => {}).once('close', left.resolve)
    half.write(bytes.subarray(0, 100 * KIB))
    const offset = async () => (await browser.ask({ path })).header('upload-offset')
    await expect.poll(offset, { timeout: 5_000 }).toBe(String(100 * KIB))
    expect((await browser.ask({ path })).status).toBe(409)
    half.destroy()
    await left.promise

    const head = await browser.ask({ method: 'HEAD', path })
    expect(head.header('upload-offset')).toBe(String(100 * KIB))
    const wrong = await browser.ask({ method: 'PUT', path: `${path}?offset=0`, body: 'x' })
    expect(wrong.status).toBe(409)
    const rest = bytes.subarray(100 * KIB)
    const put = await browser.ask({ method: 'PUT', path: `${path}?offset=${100 * KIB}`, body: rest })
    expect([put.status, put.header('upload-offset')]).toEqual([204, String(300 * KIB)])
    const done = await browser.ask({ path })
    expect(JSON.parse(done.text)).toMatchObject({ length: 300 * KIB, sha256 })
    const more = await browser.ask({ method: 'PUT', path: `${path}?offset=${300 * KIB}`, body: 'more' })
    expect(more.status).toBe(413)
  })

  test('without cookies scatters, and cannot be completed', async () => {
    const running = await uploads()
    const file = newFile(6 * 256 * KIB)
    const ended = await client(running.port, file, '--no-cookies')
    expect(ended.code).toBe(1)
    expect(ended.err).toMatch(/^404 .*upload\d knows no such upload/)
    expect(said(ended).sums).toEqual([])
  })

  test('and what the first page says to try shows what it says', async () => {
    const { example, lines } = await uploads()
    const { path } = newFile(0)
    const ended: Ended[] = []
    for (const line of lines) ended.push(await shell(line.replaceAll('/tmp/file', path)))
    expect(ended.map(({ code }) => code)).toEqual([0, 1, 0, 1, 1, 0, 0])
    const [, , resumed, scattered, , , again] = ended
    expect(resumed?.out).toContain('goes on at')
    expect(scattered?.err).toContain('knows no such upload')
    expect(again?.out).toContain('the upload is gone with its server: starts again')
    expect(new Set(said(again ?? { code: 1, out: '', err: '' }).sums).size).toBe(1)
    await example.printed('upload1 was killed')
    expect(example.err).toMatch(/^limpet: pool default: backend upload1 cannot be reached: .*\n$/)
  })
})
