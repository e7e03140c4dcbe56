import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const SESSIONS = 3_000
const HEADER_BYTES = 8_000

/** Runs in a process of its own, which may collect its garbage and has nothing else in its heap. */
const PROGRAM = `
import { createAffinity } from '${new URL('../../index.ts', import.meta.url).href}'

const [policy, carrier] = JSON.parse(process.argv[1])
const affinity = createAffinity({
  secrets: ['a-secret-of-the-tests-0123456789abcdef'],
  affinity: [policy],
  backends: [{ id: 'a-backend-with-a-long-id', url: 'http://a.test' }],
})

function visit(cookie, headers = {}) {
  const lease = affinity.select({
    method: 'GET', url: '/', httpVersion: '1.1', encrypted: false, hasBody: false,
    remoteAddress: '192.0.2.1', localPort: 80,
    rawHeaders: ['Host', 'a', 'Cookie', cookie],
    headers: { host: 'a', cookie },
  }, () => {})
  lease.requestLines()
  const fields = lease.responded({ statusCode: 200, headers })
  lease.release()
  return [lease.status, fields]
}

function run(from, to) {
  const statuses = new Set()
  for (let index = from; index < to; index += 1) {
    const session = 'session-of-the-application-' + index
    const given = carrier === undefined ? {} : { 'set-cookie': [carrier + '=' + session + '; Path=/'] }
    const [, fields] = visit('x=1', given)
    const [line = ''] = fields['set-cookie'] ?? []
    // The same bytes as a parser makes them: one text for the whole field.
    const header = Buffer.from(line.split(';')[0] + '; ' + 'x'.repeat(${HEADER_BYTES})).toString('latin1')
    statuses.add(visit(header)[0])
  }
  return [...statuses]
}

run(0, 500)
gc()
const before = process.memoryUsage().heapUsed
const statuses = run(500, ${SESSIONS} + 500)
gc()
console.log(JSON.stringify({ statuses, bytes: (process.memoryUsage().heapUsed - before) / ${SESSIONS} }))
`

it.each<[string, readonly unknown[]]>([
  ['cookie', [{ cookie: { maxLife: 0 } }]],
  ['cookie, dated', [{ cookie: { maxLife: '24h' } }]],
  ['cookie with ids', [{ cookie: { opaque: false } }]],
  ['prefix', [{ prefix: { cookie: 'JSESSIONID' } }, 'JSESSIONID']],
  ['learn', [{ learn: { cookie: 'JSESSIONID' } }, 'JSESSIONID']],
])('a session keeps nothing of the header that it came in: %s', (_, args) => {
  const output = execFileSync(
    process.execPath,
    ['--expose-gc', '--input-type=module', '-e', PROGRAM, JSON.stringify(args)],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('.', import.meta.url)) },
  )
  const { statuses, bytes } = JSON.parse(output) as { statuses: string[]; bytes: number }
  expect(statuses).toEqual(['matched'])
  expect(bytes).toBeLessThan(HEADER_BYTES / 4)
})
