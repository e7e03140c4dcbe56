export {
  type AdapterOptions,
  createHttpProxy,
  type FrameworkView,
  type HttpProxy,
  type TakenRequest,
} from './adapter.ts'
export { watchResponse, writeResponse } from './exchange/response.ts'
export type { AttemptInfo, LimpetInfo } from './exchange/limpet-info.ts'
export type { ParsedBody } from './exchange/parsed-body.ts'
export type { BackendResponse } from './exchange/backend-response.ts'
export type { HttpProxyOptions } from './http-proxy-options.ts'
export type { NodeProxyOptions } from './node-proxy-options.ts'
export type { BackendRequest } from './rewriting/backend-request.ts'
export type { CookieRewrite } from './rewriting/cookie-rewrite.ts'
export type { PathRewrite } from './rewriting/path-rewrite.ts'
export type { ProxyEvents } from './rewriting/proxy-events.ts'
export { type Interceptor, responseInterceptor } from './rewriting/response-interceptor.ts'
export type { RequestFilter } from './request-filter.ts'
export type { Logger } from './logging/logger.ts'
export type { GuardOptions } from './server/guard-options.ts'
export { writeError } from './server/closing-response.ts'
export { refuseUpgrade } from './websocket/refused-upgrade.ts'
export type { TransportOptions } from './transport-options.ts'
export type { UpgradeListener } from './websocket/upgrade-listener.ts'
export { respondToClientError, guardServer, refuseConnect, SERVER_OPTIONS } from './server/server.ts'
