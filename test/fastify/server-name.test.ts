import { limpet } from '@limpet/fastify'
import { expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { joinedValue } from '../support/header-lines.ts'
import { echo } from '../support/scripts.ts'
import { testCertificate } from '../support/tls.ts'

test("the name that is asked for by TLS is the backend's, whatever Host a client sends, on one connection", async () => {
  const w1 = await startBackend('w1', echo, { tls: true })
  const app = newApp()
  const backends = [{ id: 'w1', url: `https://localhost:${w1.port}` }]
  await app.register(limpet, { ...poolOf(), backends, tls: { verify: false, ca: testCertificate.cert } })
  const port = await listen(app)
  for (const host of ['shop.example', 'other.example', '10.0.0.1']) {
    expect((await ask(port, { headers: { Host: host } })).status).toBe(200)
    expect(joinedValue(w1.last.lines, 'host')).toBe(host)
  }
  expect(w1.serverNames).toEqual(['localhost'])
})
