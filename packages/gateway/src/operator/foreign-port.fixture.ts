import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Terminal } from '../cli/terminal.ts'

/** The URL of a port of another server, which has this response to each request until the test is over. */
export async function foreignPort(body: unknown): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A terminal, and the text that it has been given. */
export function readTerminal(): { readonly terminal: Terminal; readonly text: () => string } {
  let text = ''
  const note = (part: string): void => void (text += part)
  return { terminal: { out: note, error: note }, text: () => text }
}
