/** The parts for an adapter with a forwarder of its own, so that its connections to backends behave as those of others. */
export { type Attempter, Attempts, type AttemptTimes } from './exchange/attempts.ts'
export { clientBody } from './exchange/client-body.ts'
export { RequestRecord } from './exchange/limpet-info.ts'
export { isHttp2Response, isWhole, readWhole, refuseResponse } from './exchange/response.ts'
export { CONNECT_TIMEOUT, countedOpener, type SocketOpener } from './backend/backend-socket.ts'
export { hasLeft, onceClosed } from './exchange/client-side.ts'
export { errorCode, failureOf, protocolError, RESPONSE_TIMEOUT, responseTimeout } from './failure.ts'
export { httpProxyOf, type NodeProxy } from './http-proxy.ts'
export {
  HTTP_PROXY_OPTIONS,
  type ParsedHttpProxyOptions,
  parseHttpProxyOptions,
} from './http-proxy-options.ts'
export { GUARD_OPTIONS, type GuardOptions } from './server/guard-options.ts'
export { limitUnanswered } from './server/pipeline-limit.ts'
export { guardServer, refuseConnect, respondToClientError, SERVER_OPTIONS } from './server/server.ts'
export { refuseUpgrade } from './websocket/refused-upgrade.ts'
export { cookiesCompared } from './server/cookie-owners.ts'
export { errorFor, noteRefusal, refuseAfterRefusal } from './server/refused-connection.ts'
export { boundUnreadBody } from './server/unread-body.ts'
export { declineUpgrade } from './websocket/upgrade-listener.ts'
export { bareResponse, isWebSocket } from './websocket/upgrade-request.ts'
export { closeOnError, watchClaim } from './websocket/upgrade-claim.ts'
export { checkedFields } from './rewriting/response-fields.ts'
export { bodyTooLarge, RequestBody } from './exchange/request-body.ts'
export { activeSpan } from './tracing/active-span.ts'
export { openTelemetry } from './tracing/open-telemetry.ts'
export { type TimeoutOptions, TLS_OPTIONS, type Transport } from './transport-options.ts'
