export { isWhole, readWhole, watchAnswer, writeAnswer } from './answer.ts'
export type { ParsedBody } from './client-body.ts'
export type { Answer } from './exchange.ts'
export { createHttpProxy, type HttpProxy } from './http-proxy.ts'
export { type HttpProxyOptions } from './http-proxy-options.ts'
export { writeError } from './closing-answer.ts'
export { refuseUpgrade } from './refused-upgrade.ts'
export type { TransportOptions } from './transport-options.ts'
export {
  declineUpgrade,
  type RequestFilter,
  requestFilter,
  type UpgradeListener,
  upgradeListener,
} from './upgrade-listener.ts'
export { bareResponse, isWebSocket } from './upgrade-request.ts'
export { answerClientError, guardServer, refuseConnect, SERVER_OPTIONS } from './server.ts'
