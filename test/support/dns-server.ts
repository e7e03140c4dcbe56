import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  streamDecode,
  streamEncode,
  TRUNCATED_RESPONSE,
} from 'dns-packet'
import { onTestFinished } from 'vitest'

/** Above it an answer is truncated, and asked for again over TCP (RFC 1035 §4.2.1). */
const MAX_UDP_BYTES = 512

/** A DNS server that answers from what the test has put there, over UDP and TCP, until the test ends. */
export class DnsServer {
  /** Every question, as `A app.internal`. */
  readonly asked: string[] = []
  /** Told instead of records: 2 is SERVFAIL, 3 NXDOMAIN; -1: no answer at all. */
  failure = 0
  /** The same for single questions, as `A app.internal`. */
  readonly failures = new Map<string, number>()
  records: readonly Answer[] = []
  #port = 0

  static async start(): Promise<DnsServer> {
    const server = new DnsServer()
    const udp = createSocket('udp4', (message, { port, address }) => {
      const answer = server.#answer(decode(message))
      if (answer === undefined) return
      const bytes = encode(answer)
      const isLong = bytes.length > MAX_UDP_BYTES
      const cut = { ...answer, answers: [], flags: AUTHORITATIVE_ANSWER | TRUNCATED_RESPONSE }
      udp.send(isLong ? encode(cut) : bytes, port, address)
    })
    const tcp = createServer(socket => {
      socket.on('error', () => {})
      socket.on('data', bytes => {
        const answer = server.#answer(streamDecode(bytes))
        if (answer !== undefined) socket.write(streamEncode(answer))
      })
    })
    await listenOnOnePort(udp, tcp)
    server.#port = udp.address().port
    onTestFinished(() => {
      udp.close()
      tcp.close()
    })
    return server
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** The addresses that `app.internal` has. */
  set(addresses: readonly string[], ttl = 1): void {
    this.records = addresses.map(data => ({
      type: data.includes(':') ? 'AAAA' : 'A',
      name: 'app.internal',
      ttl,
      data,
    }))
  }

  #answer({ id = 0, questions = [] }: Packet): Packet | undefined {
    const [question] = questions
    if (question === undefined || this.failure < 0) return undefined
    const asked = `${question.type} ${question.name}`
    this.asked.push(asked)
    const name = question.name.toLowerCase()
    const failure = this.failures.get(asked) ?? this.failure
    if (failure < 0) return undefined
    const answers = this.records.filter(record => record.name === name && record.type === question.type)
    return {
      type: 'response',
      id,
      flags: AUTHORITATIVE_ANSWER | failure,
      questions: [question],
      answers: failure === 0 ? answers : [],
    }
  }
}

/** A port that is free for one may be taken for the other. */
async function listenOnOnePort(udp: Socket, tcp: Server): Promise<void> {
  for (;;) {
    tcp.listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    try {
      udp.bind((tcp.address() as AddressInfo).port, '127.0.0.1')
      await once(udp, 'listening')
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      tcp.close()
      await once(tcp, 'close')
    }
  }
}
