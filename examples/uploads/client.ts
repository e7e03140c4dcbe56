import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Jar, newJar } from './jar.ts'

/*
 * node client.ts http://127.0.0.1:8080/uploads FILE [--break] [--no-cookies]
 *
 * Uploads FILE in parts. How far it came is asked of the server; the upload's address and the cookies are kept in
 * FILE.upload until it is done, so that the same line goes on after an interruption. --break breaks the connection
 * in the middle of the third part; --no-cookies forgets every cookie, and keeps no notes.
 */

const PART = 256 * 1024

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { break: { type: 'boolean' }, 'no-cookies': { type: 'boolean' } },
})
const [url = 'http://127.0.0.1:8080/uploads', file = ''] = positionals
const bytes = readFileSync(file)
const notes = `${file}.upload`
const hasCookies = values['no-cookies'] !== true

try {
  await upload()
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}

async function upload(): Promise<void> {
  const resumed =
    hasCookies && existsSync(notes) ? (JSON.parse(readFileSync(notes, 'utf8')) as Notes) : undefined
  const jar = newJar(hasCookies ? (resumed?.cookies ?? {}) : undefined)
  let offset = 0
  let address = resumed?.address
  if (address !== undefined) {
    const { status, headers } = await jar.ask(address, { method: 'HEAD' })
    offset = Number(headers.get('upload-offset'))
    console.log(status === 200 ? `goes on at ${offset}` : 'the upload is gone with its server: starts again')
    if (status !== 200) address = undefined
  }
  address ??= await begin(jar)

  for (let part = 1; offset < bytes.length; part += 1) {
    const end = Math.min(offset + PART, bytes.length)
    const body = bytes.subarray(offset, end)
    const isBroken = values.break === true && part === 3
    const to = `${address}?offset=${offset}`
    await must(204, jar.ask(to, isBroken ? { ...broken(body), method: 'PUT' } : { method: 'PUT', body }))
    offset = end
    console.log(`${offset} of ${bytes.length} bytes`)
  }

  const answer = await must(200, jar.ask(address))
  const { backend, sha256 } = (await answer.json()) as { backend: string; sha256: string }
  console.log(`${sha256}  at ${backend}`)
  console.log(`${createHash('sha256').update(bytes).digest('hex')}  ${file}`)
  rmSync(notes, { force: true })
}

interface Notes {
  readonly address: string
  readonly cookies: Record<string, string>
}

async function begin(jar: Jar): Promise<string> {
  const { headers } = await must(
    201,
    jar.ask(url, { method: 'POST', headers: { 'Upload-Length': String(bytes.length) } }),
  )
  const address = new URL(headers.get('location') ?? '', url).href
  if (hasCookies) writeFileSync(notes, JSON.stringify({ address, cookies: jar.cookies } satisfies Notes))
  return address
}

async function must(status: number, asked: Promise<Response>): Promise<Response> {
  const answer = await asked.catch((error: unknown) => {
    throw new Error('interrupted; the same line without --break goes on', { cause: error })
  })
  if (answer.status === status) return answer
  throw new Error(`${answer.status} ${(await answer.text()).trim()}`)
}

/** A body whose first half comes, and then nothing. */
function broken(part: Buffer): RequestInit {
  const body = new ReadableStream({
    start: stream => stream.enqueue(part.subarray(0, part.length / 2)),
    async pull(stream) {
      // The half may arrive.
      await setTimeout(200)
      stream.error(new Error('the line is broken'))
    },
  })
  return { body, duplex: 'half' }
}
