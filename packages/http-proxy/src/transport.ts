/** What an adapter with a forwarder of its own builds on, so that it speaks to backends as the others do. */
export { type Attempter, Attempts } from './attempts.ts'
export { CONNECT_TIMEOUT, type SocketOpener, socketOpener } from './backend-socket.ts'
export { errorCode, failureOf, protocolError, RESPONSE_TIMEOUT, responseTimeout } from './failure.ts'
export { httpProxyOf } from './http-proxy.ts'
export { type ParsedHttpProxyOptions, parseHttpProxyOptions } from './http-proxy-options.ts'
export { bodyTooLarge, RequestBody } from './request-body.ts'
export { type Transport } from './transport-options.ts'
