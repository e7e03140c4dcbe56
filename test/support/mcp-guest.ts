import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { expect, onTestFinished } from 'vitest'

/** The text of a reply of `examples/mcp`. */
export interface Notes {
  readonly server: string
  readonly notes: readonly string[]
}

/** A client of the real SDK in one session. It opens a stream of its own for messages of the server. */
export class McpGuest {
  readonly #client: Client
  readonly #transport: StreamableHTTPClientTransport
  readonly #messages: unknown[] = []

  private constructor(port: number) {
    this.#client = new Client({ name: 'limpet-test', version: '1.0.0' })
    this.#client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      this.#messages.push(params.data)
    })
    this.#transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`))
  }

  static async begin(port: number): Promise<McpGuest> {
    const guest = new McpGuest(port)
    onTestFinished(async () => guest.#client.close())
    await guest.#client.connect(guest.#transport)
    return guest
  }

  get sessionId(): string | undefined {
    return this.#transport.sessionId
  }

  async call(name: 'recall' | 'remember', text?: string): Promise<Notes> {
    const { content } = await this.#client.callTool({ name, arguments: text === undefined ? {} : { text } })
    const [part] = content as readonly { readonly text: string }[]
    return JSON.parse(part?.text ?? '') as Notes
  }

  /** Settles when the stream of server messages has brought this. */
  async hears(message: object): Promise<void> {
    await expect.poll(() => this.#messages).toContainEqual(message)
  }

  /** Ends the session at its server. */
  async terminate(): Promise<void> {
    await this.#transport.terminateSession()
  }
}
