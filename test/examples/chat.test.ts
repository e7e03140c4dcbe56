import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Script } from 'node:vm'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ChatGuest } from '../support/chat-guest.ts'
import { ask } from '../support/http-client.ts'
import { type RunningExample, runExample } from '../support/running-example.ts'

/** `examples/chat`: rooms in the memory of one backend each, so everyone in a room has to meet there. */

const ROOMS = ['lobby', 'attic', 'garden', 'kitchen', 'cellar', 'porch', 'hall', 'study', 'yard']

async function chat(): Promise<RunningExample> {
  return runExample('examples/chat/start.ts')
}

/** `count` guests of one room, each with cookies of their own. */
function guestsOf(port: number, room: string, count = 2): readonly ChatGuest[] {
  return Array.from({ length: count }, (_, index) => new ChatGuest(port, room, `visitor=${room}${index}`))
}

/** The backend of the room, for each of its guests. */
async function entered(guests: readonly ChatGuest[]): Promise<ReadonlySet<string>> {
  return new Set(await Promise.all(guests.map(async guest => guest.enter())))
}

describe('the chat', () => {
  test('two who have nothing in common meet in a room, and see what the other says', async () => {
    const { port } = await chat()
    const [mine, theirs] = [new ChatGuest(port, 'lobby', 'visitor=me'), new ChatGuest(port, 'lobby', 'a=b')]
    expect(await mine.enter()).toBe(await theirs.enter())
    await mine.sees(2)
    mine.say('hello')
    await theirs.hears('hello')
    theirs.say('<b>hi</b>')
    await mine.hears('<b>hi</b>')
    // The room is the key: no guest has a cookie.
    expect([...mine.setCookies, ...theirs.setCookies]).toEqual([])
  })

  test('rooms spread over the backends, and a room stays where it is', async () => {
    const { port, backends } = await chat()
    const homes = new Map<string, string>()
    for (const room of ROOMS) {
      const all = await entered(guestsOf(port, room, 4))
      expect([room, all.size]).toEqual([room, 1])
      homes.set(room, [...all].join())
    }
    expect(new Set(homes.values())).toEqual(new Set(backends.map(({ id }) => id)))
    const again = await chat()
    for (const [room, home] of homes) {
      // Another gateway, and it knows as well as the first.
      expect([room, ...(await entered(guestsOf(again.port, room, 1)))]).toEqual([room, home])
    }
  })

  test('when a backend dies everyone in its rooms comes back, and meets again; all others stay', async () => {
    const running = await chat()
    const rooms = new Map<string, { home: string; guests: readonly ChatGuest[] }>()
    for (const room of ROOMS) {
      const guests = guestsOf(running.port, room)
      rooms.set(room, { home: [...(await entered(guests))].join(), guests })
    }
    const { pid } = running.backend('chat1')
    process.kill(pid, 'SIGKILL')
    const lost = [...rooms.values()].filter(({ home }) => home === 'chat1')
    const kept = [...rooms.values()].filter(({ home }) => home !== 'chat1')
    expect(lost.length).toBeGreaterThan(1)
    await Promise.all(lost.flatMap(({ guests }) => guests.map(async guest => guest.thrownOut())))
    for (const { guests } of kept) expect(guests.map(({ isIn }) => isIn)).toEqual([true, true])

    for (const { guests } of lost) {
      const next = await entered(guests)
      expect(next.size).toBe(1)
      expect(next).not.toContain('chat1')
      const [one, other] = guests
      await one?.sees(2)
      one?.say('here again')
      await other?.hears('here again')
    }
    expect(running.example.out).toContain('chat1 was killed')
    expect(running.example.err).toMatch(/^limpet: pool default: backend chat1 cannot be reached: .*\n$/)
  })

  test('the page is served, and what is no room is not', async () => {
    const { port } = await chat()
    for (const path of ['/', '/rooms/lobby']) {
      const page = await ask(port, { path })
      expect([path, page.status, page.header('content-type')]).toEqual([
        path,
        200,
        'text/html; charset=utf-8',
      ])
      // The script of the page, as a browser would read it.
      const [, script = ''] = /<script>([^]*)<\/script>/.exec(page.text) ?? []
      expect(() => new Script(script)).not.toThrow()
      expect(script).toContain(String.raw`/^\/rooms\/([\w-]+)$/`)
    }
    expect((await ask(port, { path: '/rooms/no%20room' })).status).toBe(404)
    await expect(new ChatGuest(port, 'no%20room', '').enter()).rejects.toThrow('404')
    expect((await ask(port, { path: '/healthz' })).text).toBe('{"status":"ok"}')
  })

  test('the line for a terminal listens', async () => {
    const { port, lines } = await chat()
    const [line = '', kill, ...more] = lines
    expect(kill).toMatch(/^kill -9 \d+$/)
    expect(more).toEqual([])
    const listener = spawn('sh', ['-c', `exec ${line}`], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(async () => {
      listener.kill('SIGKILL')
      if (!listener.stdout.closed) await once(listener.stdout, 'close')
    })
    let out = ''
    listener.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    await once(listener.stdout, 'data')
    const guest = new ChatGuest(port, 'lobby', '')
    await guest.enter()
    await guest.sees(2)
    guest.say('hello there')
    await expect.poll(() => out).toContain('{"text":"hello there"}')
  })
})
