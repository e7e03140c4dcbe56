import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { z } from 'zod'

/** A server for one session, whose notes are in its own memory. Each new note is also announced to the session's stream. */
export function notesServer(id: string): McpServer {
  const notes: string[] = []
  const server = new McpServer({ name: id, version: '1.0.0' }, { capabilities: { logging: {} } })

  server.registerTool(
    'remember',
    { description: 'Adds a note to this session', inputSchema: { text: z.string().min(1).max(200) } },
    async ({ text }) => {
      notes.push(text)
      await server.server.sendLoggingMessage({ level: 'info', data: { server: id, notes: notes.length } })
      return reply(id, notes)
    },
  )
  server.registerTool('recall', { description: 'Lists the notes of this session' }, () => reply(id, notes))
  return server
}

function reply(id: string, notes: readonly string[]) {
  return { content: [{ type: 'text' as const, text: JSON.stringify({ server: id, notes }) }] }
}
