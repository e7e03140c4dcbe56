import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runLine } from '../support/example-shell.ts'
import { ask } from '../support/http-client.ts'
import { McpGuest } from '../support/mcp-guest.ts'
import { type RunningExample, runExample } from '../support/running-example.ts'

/** `examples/mcp`: the sessions of an MCP server are in its memory, so all requests of one have to come there. */

async function mcp(): Promise<RunningExample> {
  return runExample('examples/mcp/start.ts')
}

/** A request without the SDK. */
async function listTools(port: number, session: string | undefined) {
  return ask(port, {
    method: 'POST',
    path: '/mcp',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...(session === undefined ? {} : { 'Mcp-Session-Id': session }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  })
}

test('sessions stay at the server that began them, and so do their streams, until the client ends them', async () => {
  const { port, backends } = await mcp()
  const guests = await Promise.all(backends.map(async () => McpGuest.begin(port)))
  const homes = new Set<string>()
  for (const [index, guest] of guests.entries()) {
    const { server } = await guest.call('remember', `first of ${index}`)
    homes.add(server)
    await guest.hears({ server, notes: 1 })
  }
  expect(homes).toEqual(new Set(backends.map(({ id }) => id)))
  for (const [index, guest] of guests.entries()) {
    const { server, notes } = await guest.call('remember', 'second')
    expect(notes).toEqual([`first of ${index}`, 'second'])
    await guest.hears({ server, notes: 2 })
  }

  const [guest] = guests
  const sessionId = guest?.sessionId
  expect((await listTools(port, sessionId)).status).toBe(200)
  await guest?.terminate()
  expect((await listTools(port, sessionId)).status).toBe(404)
  expect((await listTools(port, 'invented')).status).toBe(404)
  // Without a session it takes nothing but initialize.
  expect((await listTools(port, undefined)).status).toBe(400)
  expect((await ask(port, { path: '/nowhere' })).status).toBe(404)
})

test('a drained server keeps its sessions, and those of a killed one begin anew, as the first page says', async () => {
  const { example, port, lines } = await mcp()
  const folder = mkdtempSync(join(tmpdir(), 'limpet-mcp-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [milk, bread, another, drain, recall, kill, moved, ...more] = lines
  expect(more).toEqual([])
  const said = async (line = ''): Promise<string> => runLine(line.replaceAll('/tmp/', `${folder}/`))
  expect(JSON.parse(await said(milk))).toEqual({ server: 'mcp1', notes: ['milk'] })
  expect(JSON.parse(await said(bread))).toEqual({ server: 'mcp1', notes: ['milk', 'bread'] })
  expect(JSON.parse(await said(another))).toEqual({ server: 'mcp2', notes: [] })
  const guests = await Promise.all([1, 2, 3].map(async () => McpGuest.begin(port)))
  const at = await Promise.all(guests.map(async guest => (await guest.call('remember', 'salt')).server))
  const guest = guests[at.indexOf('mcp1')]

  await said(drain)
  await example.printed('mcp1 drains: its sessions stay, and new ones go elsewhere')
  expect(JSON.parse(await said(recall))).toEqual({ server: 'mcp1', notes: ['milk', 'bread'] })
  expect(await guest?.call('recall')).toEqual({ server: 'mcp1', notes: ['salt'] })
  for (const newcomer of await Promise.all([1, 2, 3].map(async () => McpGuest.begin(port))))
    expect((await newcomer.call('recall')).server).not.toBe('mcp1')

  await said(kill)
  await example.printed('mcp1 was killed')
  const [gone, reply = ''] = (await said(moved)).split('\n')
  expect(gone).toBe('the session is gone with its server: begins a new one')
  expect(JSON.parse(reply)).toMatchObject({ notes: [] })
  await expect(guest?.call('recall')).rejects.toMatchObject({ code: 404 })
  expect(example.err).toMatch(/^limpet: pool default: backend mcp1 cannot be reached: .*\n$/)
})
