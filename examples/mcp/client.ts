import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import {
  StreamableHTTPClientTransport,
  StreamableHTTPError,
} from '@modelcontextprotocol/sdk/client/streamableHttp.js'

/*
 * node client.ts http://127.0.0.1:8080/mcp FILE remember milk
 * node client.ts http://127.0.0.1:8080/mcp FILE recall
 *
 * FILE keeps the session's id, so that the next line is in the same session. A session that the server does not know is
 * begun anew.
 */

interface Kept {
  readonly sessionId: string | undefined
  readonly protocolVersion: string | undefined
}

const [url = 'http://127.0.0.1:8080/mcp', file = '', tool = 'recall', text] = process.argv.slice(2)

try {
  await resume()
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}

async function resume(): Promise<void> {
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Kept) : undefined
  try {
    await call(kept)
  } catch (error) {
    if (kept === undefined || !(error instanceof StreamableHTTPError) || error.code !== 404) throw error
    console.log('the session is gone with its server: begins a new one')
    await call(undefined)
  }
}

/** Calls the tool, in the session that was kept or in a new one. */
async function call(kept: Kept | undefined): Promise<void> {
  const session = kept?.sessionId === undefined ? {} : { sessionId: kept.sessionId }
  const transport = new StreamableHTTPClientTransport(new URL(url), session)
  if (kept?.protocolVersion !== undefined) transport.setProtocolVersion(kept.protocolVersion)
  const client = new Client({ name: 'limpet-example', version: '1.0.0' })
  // With a session id it does not initialize again.
  await client.connect(transport)
  try {
    const { sessionId, protocolVersion } = transport
    writeFileSync(file, JSON.stringify({ sessionId, protocolVersion } satisfies Kept))
    const { content } = await client.callTool({
      name: tool,
      arguments: text === undefined ? {} : { text },
    })
    for (const part of content as readonly { readonly text: string }[]) console.log(part.text)
  } finally {
    await client.close()
  }
}
