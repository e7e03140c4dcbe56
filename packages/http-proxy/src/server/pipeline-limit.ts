import { AsyncResource } from 'node:async_hooks'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Default for the unanswered requests of one connection. */
const MAX_UNANSWERED = 16
/** Node parses a piece of at most 64 KiB before it stops reading; the shortest requests make 3,600 of that. */
const MAX_HELD = 8_192

/** Requests of one connection behind the one that is being answered. */
interface Pipeline {
  /** Handed to the app, and waiting for their turn to be answered. */
  waiting: number
  /** Parsed, and not handed to the app. */
  readonly held: (() => void)[]
}

const LIMITS = new WeakMap<Server, number>()

/**
 * Hands at most `most` requests of one HTTP/1 connection to the app before they are answered. The others are held, and
 * the connection is not read meanwhile. Called again with a
 * limit it changes that.
 */
export function limitUnanswered(server: Server, most?: number): void {
  const isLimited = LIMITS.has(server)
  LIMITS.set(server, most ?? LIMITS.get(server) ?? MAX_UNANSWERED)
  if (isLimited) return
  // A listener could not keep the requests from other listeners.
  const pipelines = new WeakMap<Socket, Pipeline>()
  const emit = server.emit.bind(server) as (event: string, ...values: unknown[]) => boolean
  /** A response has been given the connection: its turn has come, and another request may be handed over. */
  function take(pipeline: Pipeline, socket: Socket): void {
    const next = pipeline.held.shift()
    // One that waited has its turn, and the next one waits. With a limit of 1 they are the same.
    if (next === undefined) pipeline.waiting -= 1
    else next()
    if (pipeline.held.length === 0 && socket.isPaused()) socket.resume()
  }
  server.emit = function limited(event: string, ...values: unknown[]): boolean {
    if (event !== 'request') return emit(event, ...values)
    const [request, response] = values as [IncomingMessage, ServerResponse]
    // Nothing is before it, or it came by HTTP/2.
    if (response.socket !== null || request.httpVersionMajor !== 1) return emit(event, request, response)
    const { socket } = request
    const pipeline = pipelineOf(socket, pipelines)
    response.once('socket', () => take(pipeline, socket))
    if (pipeline.waiting + 1 < (LIMITS.get(server) ?? MAX_UNANSWERED)) {
      pipeline.waiting += 1
      return emit(event, request, response)
    }
    socket.pause()
    // It is handed over while an earlier request ends, and must not see that request's context.
    const handOver = AsyncResource.bind(() => void emit('request', request, response))
    if (pipeline.held.push(handOver) > MAX_HELD) socket.destroy()
    return true
  }
}

function pipelineOf(socket: Socket, pipelines: WeakMap<Socket, Pipeline>): Pipeline {
  let pipeline = pipelines.get(socket)
  if (pipeline === undefined) {
    const made: Pipeline = { waiting: 0, held: [] }
    socket.once('close', () => made.held.splice(0))
    pipelines.set(socket, made)
    pipeline = made
  }
  return pipeline
}
