import { demo } from '@limpet-example/demo'
import { startGateway } from './gateway.ts'

await demo({
  title: 'an Express gateway before three MCP servers, each with its sessions in its own memory',
  backend: new URL('backend.ts', import.meta.url),
  name: 'mcp',
  signs: false,
  people: 'sessions',
  startGateway,
  lines({ url, pid }) {
    const client = `node examples/mcp/client.ts ${url}/mcp`
    return `  All calls of a session come to the server that has its notes.
    ${client} /tmp/mcp-session remember milk
    ${client} /tmp/mcp-session remember bread

  Another session has another server.
    ${client} /tmp/mcp-another recall

  Drain a server, here mcp1: its sessions stay, and new ones go elsewhere.
    kill -USR2 ${pid}
    ${client} /tmp/mcp-session recall

  Kill it: another server says that it does not know the session, and the client begins a new one.
    kill -9 ${pid}
    ${client} /tmp/mcp-session recall
`
  },
})
