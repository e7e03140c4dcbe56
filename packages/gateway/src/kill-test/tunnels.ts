import { WebSocket } from 'ws'
import type { Reply } from './capture.ts'
import type { Step } from './scenario.ts'
import type { TargetGuard } from './target.ts'
import type { Variables } from './template.ts'
import { TunnelReplies } from './tunnel-replies.ts'
import { MAX_REPLY, type UserAgent } from './user-agent.ts'

/** The WebSockets of one session. */
export class Tunnels {
  readonly #open = new Map<string, WebSocket>()
  readonly #guard: TargetGuard
  readonly #onCut: (path: string, code: number) => void

  /** @param onCut is called when an idle WebSocket ends that the session would have kept */
  constructor(guard: TargetGuard, onCut: (path: string, code: number) => void) {
    this.#guard = guard
    this.#onCut = onCut
  }

  /** Opens a WebSocket, or takes the one that was kept; sends the step's message; waits for one that is expected. */
  async exchange(
    step: Step,
    target: URL,
    agent: UserAgent,
    variables: Variables,
    signal: AbortSignal,
  ): Promise<Reply> {
    const path = step.path.render(variables)
    const kept = this.#open.get(path)
    this.#open.delete(path)
    const socket =
      kept ?? this.#connect(step, new URL(path, target), agent, variables, await agent.cookiesFor(target))
    const replies = new TunnelReplies(socket, signal)
    try {
      const head = kept === undefined ? await replies.opened : undefined
      if (head !== undefined) await agent.keepCookies(target, head.headers['set-cookie'])
      if (step.body.kind === 'text') socket.send(step.body.text.render(variables))
      const wanted = step.expect.body
      const text = await replies.message(said => wanted === undefined || said.search(wanted) >= 0)
      if (step.keep) this.#keep(path, socket)
      else socket.close()
      const cookies = await agent.jar.getCookies(target.href)
      return {
        status: 101,
        text,
        header: name => [head?.headers[name.toLowerCase()]].flat().join(', ') || undefined,
        cookie: name => cookies.find(({ key }) => key === name)?.value,
      }
    } catch (error) {
      socket.terminate()
      throw error
    } finally {
      replies.end()
    }
  }

  close(): void {
    for (const socket of this.#open.values()) {
      socket.removeAllListeners('close')
      socket.terminate()
    }
    this.#open.clear()
  }

  #connect(
    step: Step,
    url: URL,
    agent: UserAgent,
    variables: Variables,
    cookie: string | undefined,
  ): WebSocket {
    const headers = Object.fromEntries(step.headers.map(([name, value]) => [name, value.render(variables)]))
    const socket = new WebSocket(url.href.replace(/^http/, 'ws'), {
      headers: { ...headers, ...(cookie !== undefined && { cookie }) },
      maxPayload: MAX_REPLY,
      lookup: this.#guard.lookup,
      ...(agent.localAddress !== undefined && { localAddress: agent.localAddress }),
    })
    // Errors are told by the close that follows them.
    return socket.on('error', () => {})
  }

  #keep(path: string, socket: WebSocket): void {
    if (socket.readyState !== WebSocket.OPEN) return
    this.#open.set(path, socket)
    socket.removeAllListeners('close')
    socket.once('close', code => {
      if (this.#open.get(path) !== socket) return
      this.#open.delete(path)
      this.#onCut(path, code)
    })
  }
}
